/**
 * What is known of one observed connection. About 700 bytes while idle, both half-streams included.
 *
 * While nothing out of the ordinary happens, what each segment changes is kept in the flow's record alone, where the
 * tracker finds it without coming here: the connection is *plain*. `settle` brings it back.
 */
import type { Endpoint } from '../core/ip-address.ts';
import type { Linked } from '../core/linked-list.ts';
import type { Rostered } from '../core/roster.ts';
import type { SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import type { Segment } from '../wire/segment.ts';
import {
  FLAG_BOUNDED,
  FLAG_FLIPPED,
  FLAG_PLAIN,
  FLAG_SEEN_GOOD,
  FLAGS,
  LAST_SEEN,
  RECORD_DOUBLES,
  RECORD_WORDS,
} from './flow-record.ts';
import type { FlowTable } from './flow-table.ts';
import { HalfStream, UNANCHORED } from './half-stream.ts';
import type { StreamContext } from './stream-context.ts';

export const CLIENT_TO_SERVER = 0;
export const SERVER_TO_CLIENT = 1;
export type Half = 0 | 1;

/** Why a connection ended, or has not. */
export type ConnectionEnd = 'open' | 'fin' | 'reset' | 'idle' | 'replaced' | 'evicted' | 'input-ended';

const FLAGS_PLAIN = FLAG_PLAIN | (FLAG_PLAIN << 1);
const FLAGS_LANE = FLAGS_PLAIN | FLAG_BOUNDED | (FLAG_BOUNDED << 1) | FLAG_SEEN_GOOD | (FLAG_SEEN_GOOD << 1);

export class Connection<User = unknown> implements Linked<Connection<User>>, Rostered {
  /** Counts connections of one tracker from 0, in order of their first packet. */
  readonly index: number;
  client: Endpoint;
  server: Endpoint;
  readonly encapsulation: number;
  /** Whether a SYN or SYN-ACK was seen, or only what came after. */
  openedBy: 'syn' | 'midstream';
  end: ConnectionEnd = 'open';
  /** Client → server, and back. */
  c2s: HalfStream;
  s2c: HalfStream;
  /** For whoever uses the tracker. */
  user: User | undefined = undefined;
  /** The tracker's: where a SYN would have the client's bytes begin anew, if anything continues it. */
  rival: SeqNum | undefined = undefined;
  /** The tracker's: this connection's place in the flow table, -1 when it has left it. */
  entry: number;
  /** The tracker's: CONNECTION_ bits of work to do and states passed. */
  state = 0;
  /** The tracker's: among those that wait at a hole, and those that were reset. */
  listNext: Connection<User> | undefined = undefined;
  listPrevious: Connection<User> | undefined = undefined;
  rosterIndex = -1;
  readonly #flows: FlowTable;
  #lastSeen: Instant;

  constructor(
    index: number,
    segment: Segment,
    flows: FlowTable,
    entry: number,
    clientIsSource: boolean,
    context: StreamContext,
  ) {
    this.index = index;
    this.#flows = flows;
    this.entry = entry;
    if (!clientIsSource) flows.records.words[entry * RECORD_WORDS + FLAGS]! |= FLAG_FLIPPED;
    const source = clientIsSource ? context.clientOf(segment, true) : context.serverOf(segment, true);
    const destination = clientIsSource ? context.serverOf(segment, false) : context.clientOf(segment, false);
    this.client = clientIsSource ? source : destination;
    this.server = clientIsSource ? destination : source;
    this.encapsulation = segment.encapsulation;
    this.openedBy = 'midstream';
    this.#lastSeen = segment.time;
    this.c2s = new HalfStream(context);
    this.s2c = new HalfStream(context);
  }

  get lastSeen(): Instant {
    this.settle();
    return this.#lastSeen;
  }

  /** Only while the connection is not plain. */
  set lastSeen(time: Instant) {
    this.#lastSeen = time;
  }

  /** How far the client has acknowledged the server's bytes, by good segments, with or without payload. */
  get clientAck(): SeqNum {
    this.settle();
    return this.s2c.extent.peerAck;
  }

  /** Where the server's bytes stood when the connection was first seen: data that acknowledges more answers some. */
  get firstClientAck(): SeqNum | undefined {
    return this.s2c.start ?? this.s2c.extent.firstAck;
  }

  /** How far the server has acknowledged the client's bytes: moves only where server → client segments are visible. */
  get serverAck(): SeqNum {
    this.settle();
    return this.c2s.extent.peerAck;
  }

  /** Exchanges the ends: a SYN has shown that the guess was wrong. Only while nothing has been handed out. */
  flip(): void {
    [this.client, this.server] = [this.server, this.client];
    [this.c2s, this.s2c] = [this.s2c, this.c2s];
    if (this.entry >= 0) this.#flows.records.words[this.entry * RECORD_WORDS + FLAGS]! ^= FLAG_FLIPPED;
  }

  /**
   * Makes the connection plain in those halves of which the next segment in order needs nothing but to be passed through,
   * if it is in any; returns the flags of its record.
   */
  smooth(oneWay: boolean): number {
    const { records } = this.#flows;
    const { c2s, s2c, entry } = this;
    const at = entry * RECORD_WORDS + FLAGS;
    if (this.state !== 0) return records.words[at]!;
    const plain = (passes(c2s, s2c, oneWay) ? FLAG_PLAIN : 0) | (passes(s2c, c2s, oneWay) ? FLAG_PLAIN << 1 : 0);
    if (plain === 0) return records.words[at]!;
    const bounded = oneWay ? 0 : (s2c.mode === 0 ? FLAG_BOUNDED : 0) | (c2s.mode === 0 ? FLAG_BOUNDED << 1 : 0);
    const good = (c2s.seenGood ? FLAG_SEEN_GOOD : 0) | (s2c.seenGood ? FLAG_SEEN_GOOD << 1 : 0);
    records.words[at] = (records.words[at]! & ~FLAGS_LANE) | plain | bounded | good;
    c2s.stash(records, entry, CLIENT_TO_SERVER);
    s2c.stash(records, entry, SERVER_TO_CLIENT);
    records.doubles[entry * RECORD_DOUBLES + LAST_SEEN] = this.#lastSeen;
    return records.words[at];
  }

  /** Takes back what was kept in the record: from now on the half-streams are right. */
  settle(): void {
    const { records } = this.#flows;
    const { entry } = this;
    const at = entry * RECORD_WORDS + FLAGS;
    if (entry < 0 || (records.words[at]! & FLAGS_PLAIN) === 0) return;
    this.c2s.restore(records, entry, CLIENT_TO_SERVER);
    this.s2c.restore(records, entry, SERVER_TO_CLIENT);
    this.#lastSeen = records.doubles[entry * RECORD_DOUBLES + LAST_SEEN]! as Instant;
    records.words[at]! &= ~FLAGS_PLAIN;
  }
}

/** Whether a segment in order of `own` needs nothing but to be passed through, with its acknowledgement noted. */
function passes(own: HalfStream, other: HalfStream, oneWay: boolean): boolean {
  return own.mode === 0 && (oneWay || other.mode === UNANCHORED || other.mode === 0) && other.extent.ackKnown;
}
