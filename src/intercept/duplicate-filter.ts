/**
 * One packet may be captured more than once: entering and leaving the host that forwards it, on a bridge and its port,
 * twice on the loopback device. The copies are equal, but so are a server's duplicate ACKs, and those must pass: TCP's
 * fast retransmit counts them.
 *
 * What tells them apart is the *path*: the source it was captured by and the direction. For each session the filter
 * remembers the last segment and the path that showed it first. An equal segment on the same path is a repetition by the
 * server; on another path, within a moment, it is a copy. The table is direct-mapped: a collision only lets a copy
 * through, which the session takes for the duplicate that it is.
 */
import type { Segment } from '../wire/segment.ts';

const SLOTS = 1 << 14;
const MASK = SLOTS - 1;
/** Address word, ports, seq, ack, flags and window, length, path. */
const STRIDE = 7;
/** A packet passes through a host in microseconds; a retransmission takes at least this long. */
const MOMENT_US = 10_000;

export class DuplicateFilter {
  readonly #words = new Int32Array(SLOTS * STRIDE);
  readonly #time = new Float64Array(SLOTS).fill(-Infinity);

  /** Whether another path has just shown this segment. `path`: a small number. */
  isCopy(s: Segment, path: number): boolean {
    const ports = (s.srcPort << 16) | s.dstPort;
    const mixed = Math.imul(ports ^ s.dst3, 0x9e3779b1);
    const slot = (mixed ^ (mixed >>> 15)) & MASK;
    const at = slot * STRIDE;
    const words = this.#words;
    const flags = (s.flags << 16) | s.window;
    const length = s.sentLength | 0;
    if (
      words[at + 2] === s.seq &&
      words[at + 3] === s.ack &&
      words[at + 1] === ports &&
      words[at] === s.dst3 &&
      words[at + 4] === flags &&
      words[at + 5] === length &&
      Math.abs(s.time - this.#time[slot]!) < MOMENT_US
    ) {
      return words[at + 6] !== path;
    }
    words[at] = s.dst3;
    words[at + 1] = ports;
    words[at + 2] = s.seq;
    words[at + 3] = s.ack;
    words[at + 4] = flags;
    words[at + 5] = length;
    words[at + 6] = path;
    this.#time[slot] = s.time;
    return false;
  }
}
