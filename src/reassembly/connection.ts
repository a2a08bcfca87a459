/** What is known of one observed connection. About 700 bytes while idle, both half-streams included. */
import type { Endpoint } from '../core/ip-address.ts';
import type { SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import type { Segment } from '../wire/segment.ts';
import { HalfStream } from './half-stream.ts';
import type { StreamContext } from './stream-context.ts';

export const CLIENT_TO_SERVER = 0;
export const SERVER_TO_CLIENT = 1;
export type Half = 0 | 1;

/** Why a connection ended, or has not. */
export type ConnectionEnd = 'open' | 'fin' | 'reset' | 'idle' | 'replaced' | 'evicted' | 'input-ended';

export class Connection<User = unknown> {
  /** Counts connections of one tracker from 0, in order of their first packet. */
  readonly index: number;
  client: Endpoint;
  server: Endpoint;
  readonly encapsulation: number;
  /** Whether a SYN or SYN-ACK was seen, or only what came after. */
  openedBy: 'syn' | 'midstream';
  end: ConnectionEnd = 'open';
  readonly firstSeen: Instant;
  lastSeen: Instant;
  /** Client → server, and back. */
  c2s: HalfStream;
  s2c: HalfStream;
  /** For whoever uses the tracker. */
  user: User | undefined = undefined;
  /** The tracker's: this connection's place in the flow table, -1 when it has left it. */
  entry: number;
  /** The tracker's: 1 when the flow table's first direction is server → client. */
  flipped: Half;
  /** The tracker's: CONNECTION_ bits of work to do and states passed. */
  state = 0;

  constructor(index: number, segment: Segment, entry: number, clientIsSource: boolean, context: StreamContext) {
    this.index = index;
    this.entry = entry;
    this.flipped = clientIsSource ? 0 : 1;
    const source = segment.source();
    const destination = segment.destination();
    this.client = clientIsSource ? source : destination;
    this.server = clientIsSource ? destination : source;
    this.encapsulation = segment.encapsulation;
    this.openedBy = 'midstream';
    this.firstSeen = segment.time;
    this.lastSeen = segment.time;
    this.c2s = new HalfStream(context);
    this.s2c = new HalfStream(context);
  }

  /** How far the client has acknowledged the server's bytes, by good segments, with or without payload. */
  get clientAck(): SeqNum {
    return this.s2c.extent.peerAck;
  }

  /** Where the server's bytes stood when the connection was first seen: data that acknowledges more answers some. */
  get firstClientAck(): SeqNum | undefined {
    return this.s2c.start ?? this.s2c.extent.firstAck;
  }

  /** How far the server has acknowledged the client's bytes: moves only where server → client segments are visible. */
  get serverAck(): SeqNum {
    return this.c2s.extent.peerAck;
  }

  /** Bytes of client data handed out or declared missing so far. */
  get clientOffset(): number {
    return this.c2s.streamOffset;
  }

  /** Exchanges the ends: a SYN has shown that the guess was wrong. Only while nothing has been handed out. */
  flip(): void {
    [this.client, this.server] = [this.server, this.client];
    [this.c2s, this.s2c] = [this.s2c, this.c2s];
    this.flipped = this.flipped === 0 ? 1 : 0;
  }
}
