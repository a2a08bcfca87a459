/**
 * Paths (wire/encapsulation) through which the same packets are seen, or each direction of them: two VLANs that a router
 * joins, seen on one trunk; a mirror that tags one direction only; both ends of a connection mirrored in two VXLANs.
 *
 * Endpoints alone do not tell: networks with equal addresses are why paths are told apart. What tells is a segment that
 * agrees with a connection of the other path in its numbers: the ISN of a SYN, the acknowledgement of a SYN-ACK, or of any
 * other where both streams stand. From then on one path stands for both.
 *
 * Cap: of the paths that connections were seen through the first `PATHS_MAX` are compared.
 */
import { seqAdd, seqDiff, type SeqNum } from '../core/seq-num.ts';
import { ENCAPSULATION_OVERFLOW } from '../wire/encapsulation.ts';
import { CHECKSUM_BAD, TCP_ACK, TCP_SYN, type Segment } from '../wire/segment.ts';
import { ClosedHalf } from './closed-flow.ts';
import { CLIENT_TO_SERVER, type Connection } from './connection.ts';
import { FLAG_CLOSED, FLAG_FLIPPED, FLAGS, RECORD_WORDS } from './flow-record.ts';
import type { FlowTable } from './flow-table.ts';
import type { StreamTraces } from './incarnation.ts';

const PATHS_MAX = 32;

/** So far from where a stream stands its segments are: by chance one in 2^15 is, and in both streams one in 2^30. */
const NEAR = 1 << 16;

export class TwinPaths {
  /** Whether any path stands for another. */
  joined = false;
  readonly #table: FlowTable;
  /** By entry of the table. */
  readonly #connections: readonly (Connection | undefined)[];
  /** Those that connections were seen through, without those that another stands for. */
  readonly #seen: number[] = [];
  readonly #closedOwn = new ClosedHalf();
  readonly #closedOther = new ClosedHalf();
  /** By path, the one that stands for it, plus 1; 0: it is its own. */
  #standIns: Uint16Array | undefined = undefined;

  constructor(table: FlowTable, connections: readonly (Connection | undefined)[]) {
    this.#table = table;
    this.#connections = connections;
  }

  /** A connection begins that is seen through this path. */
  note(path: number): void {
    if (this.#seen.length < PATHS_MAX && !this.#seen.includes(path)) this.#seen.push(path);
  }

  /** The path that stands for this one. */
  of(path: number): number {
    const standIn = this.#standIns?.[path] ?? 0;
    return standIn === 0 ? path : standIn - 1;
  }

  /**
   * Where the connection is to which a segment belongs that none is known for through its own path, as the table tells it; -1
   * when there is none. Of one that is found the paths are joined, and the segment's is the other one from then on.
   */
  find(segment: Segment): number {
    const path = segment.encapsulation;
    for (const other of this.#seen) {
      if (other === path) continue;
      segment.encapsulation = other;
      const found = this.#table.find(segment);
      if (found < 0 || !this.#belongs(segment, found)) continue;
      this.#join(path, other);
      return found;
    }
    segment.encapsulation = path;
    return -1;
  }

  #belongs(segment: Segment, found: number): boolean {
    const entry = found >> 1;
    const { records } = this.#table;
    const flags = records.words[entry * RECORD_WORDS + FLAGS]!;
    const half = (found & 1) ^ (flags & FLAG_FLIPPED ? 1 : 0);
    if (flags & FLAG_CLOSED) {
      const own = this.#closedOwn.load(records, entry, half);
      return agrees(segment, own, this.#closedOther.load(records, entry, half ^ 1));
    }
    const connection = this.#connections[entry]!;
    connection.settle();
    const { c2s, s2c } = connection;
    return half === CLIENT_TO_SERVER ? agrees(segment, c2s, s2c) : agrees(segment, s2c, c2s);
  }

  /** `path` shows what `standIn` shows; both stand for themselves until now. */
  #join(path: number, standIn: number): void {
    this.joined = true;
    this.#standIns ??= new Uint16Array(ENCAPSULATION_OVERFLOW + 1);
    for (const [i, of] of this.#standIns.entries()) if (of === path + 1) this.#standIns[i] = standIn + 1;
    this.#standIns[path] = standIn + 1;
    const at = this.#seen.indexOf(path);
    if (at >= 0) this.#seen.splice(at, 1);
  }
}

/** Whether a segment between the same endpoints, seen through another path, is of the connection with these halves. */
function agrees(segment: Segment, own: StreamTraces, other: StreamTraces): boolean {
  const { flags, seq, ack } = segment;
  if (segment.checksum === CHECKSUM_BAD) return false;
  if ((flags & TCP_SYN) === 0) return (flags & TCP_ACK) !== 0 && standsAt(own, seq) && standsAt(other, ack);
  if (own.synSeen) return own.start === seqAdd(seq, 1);
  return (flags & TCP_ACK) !== 0 && other.synSeen && other.start === ack;
}

function standsAt({ position }: StreamTraces, seq: SeqNum): boolean {
  return position !== undefined && Math.abs(seqDiff(seq, position)) < NEAR;
}
