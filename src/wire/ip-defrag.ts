/**
 * Puts IP fragments together (RFC 791 §3.2, RFC 8200 §4.5).
 *
 * A datagram is collected in one buffer, grown as fragments come; `ranges` lists which of its bytes are there. It is
 * whole when the last fragment has told the total and one range covers it. The whole datagram is handed out in memory
 * of its own, which the caller may keep.
 *
 * Overlaps: the byte that came first stays, in both families. (RFC 5722 wants overlapping IPv6 fragments thrown away;
 * a copier does better to follow the bytes than to lose the request.) A fragment that contradicts the known total is
 * malformed and ignored.
 *
 * Caps: datagrams, bytes and fragments per datagram. At a cap the new fragment is refused, and those held wait on until
 * their time is up, by capture time. Everything is counted, so that frames held = joined + expired + still pending.
 */
import { Counters } from '../core/counters.ts';
import {
  DROP_IP_FRAGMENT_CAP,
  DROP_IP_FRAGMENT_HELD,
  DROP_IP_FRAGMENT_MALFORMED,
  DROP_NONE,
  DROP_FRAME_TRUNCATED,
  type DropReason,
} from '../core/drop-reason.ts';
import { elapsed, seconds, type Duration, type Instant } from '../core/time.ts';
import type { FrameCursor } from './frame-cursor.ts';
import type { Segment } from './segment.ts';

export interface FragmentLimits {
  /** Datagrams waiting for fragments. */
  readonly datagrams: number;
  /** Bytes of memory in all of them. */
  readonly bytes: number;
  /** Fragments accepted for one datagram. */
  readonly fragments: number;
  /** How long a datagram waits after its first fragment. Linux waits 30 s. */
  readonly timeout: Duration;
}

const DEFAULT_LIMITS: FragmentLimits = { datagrams: 1024, bytes: 8 << 20, fragments: 1024, timeout: seconds(30) };

/** Frames, except `reassembled`, which are datagrams. */
const FRAGMENT_COUNTERS = [
  /** Accepted, whether their datagram became whole or not. */
  'held',
  /** Part of a datagram that became whole. */
  'joined',
  'reassembled',
  /** Held until the time was up. */
  'expired',
  'malformed',
  /** Cut by the snap length. */
  'truncated',
  /** Refused at a cap. */
  'refused',
  /** Brought only bytes that were there. */
  'duplicate',
  /** Brought some bytes that were there. */
  'overlapping',
] as const;

export type FragmentCounterName = (typeof FRAGMENT_COUNTERS)[number];

const HELD = FRAGMENT_COUNTERS.indexOf('held');
const JOINED = FRAGMENT_COUNTERS.indexOf('joined');
const REASSEMBLED = FRAGMENT_COUNTERS.indexOf('reassembled');
const EXPIRED = FRAGMENT_COUNTERS.indexOf('expired');
const MALFORMED = FRAGMENT_COUNTERS.indexOf('malformed');
const TRUNCATED = FRAGMENT_COUNTERS.indexOf('truncated');
const REFUSED = FRAGMENT_COUNTERS.indexOf('refused');
const DUPLICATE = FRAGMENT_COUNTERS.indexOf('duplicate');
const OVERLAPPING = FRAGMENT_COUNTERS.indexOf('overlapping');

const DATAGRAM_LENGTH_MAX = 0xffff;
const BUFFER_MIN = 2048;

interface Datagram {
  since: Instant;
  frames: number;
  bytes: Uint8Array;
  /** Start and end of what is there, ascending, apart from each other. */
  ranges: number[];
  /** -1 until the last fragment is there. */
  total: number;
  /** Of the first fragment: in IPv6 the others may name another header (RFC 8200 §4.5). */
  protocol: number;
}

export class FragmentTable {
  readonly counters = new Counters<FragmentCounterName>(FRAGMENT_COUNTERS);
  private readonly limits: FragmentLimits;
  /** In order of their first fragment. */
  private readonly datagrams = new Map<string, Datagram>();
  private bytesHeld = 0;

  constructor(limits: Partial<FragmentLimits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Frames that wait for the rest of their datagram. */
  get pending(): number {
    return this.counters.get('held') - this.counters.get('joined') - this.counters.get('expired');
  }

  /**
   * Takes the fragment at the cursor. DROP_NONE: the datagram is whole and the cursor stands at its beginning.
   * `out` has the addresses and the time.
   */
  take(c: FrameCursor, out: Segment): DropReason {
    this.expire(out.time);
    const start = c.fragmentOffset;
    const length = c.end - c.at;
    const end = start + length;
    if (c.missing > 0) return this.drop(TRUNCATED, DROP_FRAME_TRUNCATED);
    if (length === 0 || c.overlong || end > DATAGRAM_LENGTH_MAX || (c.moreFragments && (length & 7) !== 0)) {
      return this.drop(MALFORMED, DROP_IP_FRAGMENT_MALFORMED);
    }
    const key = datagramKey(c, out);
    let datagram = this.datagrams.get(key);
    if (datagram === undefined) {
      if (this.datagrams.size >= this.limits.datagrams) return this.drop(REFUSED, DROP_IP_FRAGMENT_CAP);
      datagram = { since: out.time, frames: 0, bytes: new Uint8Array(0), ranges: [], total: -1, protocol: c.protocol };
    } else if (contradicts(datagram, end, c.moreFragments)) {
      return this.drop(MALFORMED, DROP_IP_FRAGMENT_MALFORMED);
    }
    if (datagram.frames >= this.limits.fragments || !this.makeRoom(datagram, end, c.moreFragments)) {
      return this.drop(REFUSED, DROP_IP_FRAGMENT_CAP);
    }
    if (datagram.frames === 0) this.datagrams.set(key, datagram);
    datagram.frames++;
    this.counters.add(HELD);
    if (!c.moreFragments) datagram.total = end;
    if (start === 0 && !covers(datagram, 0)) datagram.protocol = c.protocol;
    const added = place(datagram, c, start, end);
    if (added === 0) this.counters.add(DUPLICATE);
    else if (added < length) this.counters.add(OVERLAPPING);
    if (!isWhole(datagram)) return DROP_IP_FRAGMENT_HELD;
    this.forget(key, datagram);
    this.counters.add(REASSEMBLED);
    this.counters.add(JOINED, datagram.frames);
    enterDatagram(c, datagram);
    return DROP_NONE;
  }

  /**
   * Gives up the datagrams whose time is up. Capture time may step back: one that lies as far ahead is as dead.
   */
  private expire(now: Instant): void {
    for (const [key, datagram] of this.datagrams) {
      if (Math.abs(elapsed(now, datagram.since)) <= this.limits.timeout) return;
      this.forget(key, datagram);
      this.counters.add(EXPIRED, datagram.frames);
    }
  }

  private forget(key: string, datagram: Datagram): void {
    this.datagrams.delete(key);
    this.bytesHeld -= datagram.bytes.length;
  }

  private drop(counter: number, reason: DropReason): DropReason {
    this.counters.add(counter);
    return reason;
  }

  private makeRoom(datagram: Datagram, end: number, moreFragments: boolean): boolean {
    const size = datagram.bytes.length;
    if (end <= size) return true;
    const wanted = moreFragments ? Math.min(Math.max(end, 2 * size, BUFFER_MIN), DATAGRAM_LENGTH_MAX) : end;
    if (this.bytesHeld + wanted - size > this.limits.bytes) return false;
    const grown = new Uint8Array(wanted);
    grown.set(datagram.bytes);
    datagram.bytes = grown;
    this.bytesHeld += wanted - size;
    return true;
  }
}

/** RFC 791 §3.2: addresses, protocol, identification; RFC 8200 §4.5 leaves the protocol out. And the network. */
function datagramKey(c: FrameCursor, s: Segment): string {
  const protocol = s.ipVersion === 4 ? c.protocol : -1;
  const addresses = `${s.src0},${s.src1},${s.src2},${s.src3},${s.dst0},${s.dst1},${s.dst2},${s.dst3}`;
  return `${addresses},${c.fragmentId},${protocol},${c.path}`;
}

function contradicts(datagram: Datagram, end: number, moreFragments: boolean): boolean {
  if (datagram.total >= 0) return moreFragments ? end > datagram.total : end !== datagram.total;
  return !moreFragments && datagram.ranges.length > 0 && end < datagram.ranges.at(-1)!;
}

function covers(datagram: Datagram, at: number): boolean {
  const { ranges } = datagram;
  for (let i = 0; i < ranges.length; i += 2) if (ranges[i]! <= at && at < ranges[i + 1]!) return true;
  return false;
}

function isWhole(datagram: Datagram): boolean {
  const { ranges, total } = datagram;
  return ranges.length === 2 && ranges[0] === 0 && ranges[1] === total;
}

/** Copies what is new of the bytes `start` to `end`, and merges them into the ranges. Returns how many were new. */
function place(datagram: Datagram, c: FrameCursor, start: number, end: number): number {
  const merged: number[] = [];
  let low = start;
  let high = end;
  let at = start;
  let added = 0;
  const fill = (until: number) => {
    if (until <= at) return;
    const from = c.at + at - start;
    datagram.bytes.set(c.bytes.subarray(from, from + until - at), at);
    added += until - at;
  };
  const { ranges } = datagram;
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
  datagram.ranges = merged;
  return added;
}

function enterDatagram(c: FrameCursor, datagram: Datagram): void {
  c.bytes = datagram.bytes;
  c.view = new DataView(datagram.bytes.buffer);
  c.at = 0;
  c.end = datagram.total;
  c.missing = 0;
  c.protocol = datagram.protocol;
  c.inner = true;
  c.fragmented = false;
}
