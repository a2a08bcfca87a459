import type { Instant } from '../core/time.ts';

/** What the 16-bit lengths of both IP versions allow to be put together. */
export const IP_DATAGRAM_LENGTH_MAX = 0xffff;

const BUFFER_MIN = 2048;

/**
 * One IP packet on its way to being whole: a buffer that grows as fragments come, and `ranges`, which says what of it
 * is there. It is whole when the last fragment has told the total and one range covers it.
 */
export class IpDatagram {
  /** When its first fragment was seen. */
  readonly since: Instant;
  bytes = new Uint8Array(0);
  /** Fragments taken. */
  frames = 0;
  /** -1 until the last fragment is there. */
  total = -1;
  /** What the fragment at offset 0 names: in IPv6 the others may name another header (RFC 8200 §4.5). */
  protocol: number;
  /** Start and end of each stretch that is there, ascending; no two touch. */
  private ranges: number[] = [];

  constructor(since: Instant, protocol: number) {
    this.since = since;
    this.protocol = protocol;
  }

  /** Whether a fragment that ends at `end` cannot belong to what is here. */
  contradicts(end: number, moreFragments: boolean): boolean {
    if (this.total >= 0) return moreFragments ? end > this.total : end !== this.total;
    return !moreFragments && end < (this.ranges.at(-1) ?? 0);
  }

  /** How large the buffer should be to hold `end` bytes, and what may follow them. */
  sizeFor(end: number, moreFragments: boolean): number {
    const size = this.bytes.length;
    if (end <= size) return size;
    return moreFragments ? Math.min(Math.max(end, 2 * size, BUFFER_MIN), IP_DATAGRAM_LENGTH_MAX) : end;
  }

  resize(size: number): void {
    if (size === this.bytes.length) return;
    const grown = new Uint8Array(size);
    grown.set(this.bytes);
    this.bytes = grown;
  }

  /**
   * Takes `length` bytes at `from` of `source` as those from `start` on; where some are there already, these stay.
   * Returns how many were new.
   */
  place(
    source: Uint8Array,
    from: number,
    start: number,
    length: number,
    moreFragments: boolean,
    protocol: number,
  ): number {
    const end = start + length;
    this.frames++;
    if (!moreFragments) this.total = end;
    if (start === 0 && this.ranges[0] !== 0) this.protocol = protocol;
    const merged: number[] = [];
    let low = start;
    let high = end;
    let at = start;
    let added = 0;
    const fill = (until: number) => {
      if (until <= at) return;
      this.bytes.set(source.subarray(from + at - start, from + until - start), at);
      added += until - at;
    };
    const { ranges } = this;
    let i = 0;
    for (; i < ranges.length && ranges[i + 1]! < start; i += 2) merged.push(ranges[i]!, ranges[i + 1]!);
    for (; i < ranges.length && ranges[i]! <= end; i += 2) {
      fill(Math.min(ranges[i]!, end));
      at = Math.max(at, ranges[i + 1]!);
      low = Math.min(low, ranges[i]!);
      high = Math.max(high, ranges[i + 1]!);
    }
    fill(end);
    merged.push(low, high);
    for (; i < ranges.length; i++) merged.push(ranges[i]!);
    this.ranges = merged;
    return added;
  }

  isWhole(): boolean {
    return this.ranges.length === 2 && this.ranges[0] === 0 && this.ranges[1] === this.total;
  }
}
