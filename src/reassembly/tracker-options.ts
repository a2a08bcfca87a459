/** What a `ConnectionTracker` can be told, with the presets of its two uses, and what it counts. */
import { Counters } from '../core/counters.ts';
import { seconds, millis, type Duration } from '../core/time.ts';
import type { Segment } from '../wire/segment.ts';

export const WAIT_FOREVER = Infinity as Duration;

export interface TrackerOptions {
  /**
   * Which segments of connections whose beginning was not seen open one: none, those with payload, or any. Segments
   * that open none are ignored and counted.
   */
  readonly midstream: 'off' | 'data' | 'any';
  /**
   * What may open a connection without SYN although its checksum is wrong: anything, as on a host that leaves checksums to its
   * device; or, where nearly all connections begin with a right one, nothing: it is damaged, and its ports may be, too.
   */
  readonly suspectOpens: 'always' | 'unless-rare';
  /**
   * How long a hole may stand, with evidence that there were bytes, before it is declared a gap and the stream goes on
   * after it. `WAIT_FOREVER`: only at a cap or at the end of the connection, so that a recording in any order comes out
   * whole.
   */
  readonly gapPatience: Duration;
  /**
   * The same for a hole behind which the sender has acknowledged nothing new: the peer has not answered, so the bytes may
   * have been lost on the way to it and come again.
   */
  readonly unansweredGapPatience: Duration;
  /**
   * The same where the hole before it was filled late, since when this one may stand: the sender's timer doubles on from one
   * to the next.
   */
  readonly resentGapPatience: Duration;
  /** The same for a hole that the peer has acknowledged: the missing bytes arrived there and will not be sent again. */
  readonly ackedGapPatience: Duration;
  /**
   * How long after a reset, with nothing more of the connection, it is over: until then what was on its way, or comes
   * late in the file, is still taken. `WAIT_FOREVER`: at the end of the input. A client's reset right behind its last
   * byte ends the connection at once unless everything is waited for.
   */
  readonly resetPatience: Duration;
  /**
   * Whether a stream whose SYN was not seen begins with the first data that comes. Otherwise its data is held until a
   * SYN or SYN-ACK names the start, or a cap or the end of the connection makes the lowest byte held the first.
   */
  readonly startAtOnce: boolean;
  /**
   * Whether only client → server segments are visible; others are ignored. No acknowledgement of the server's tells of
   * holes then, and a connection counts as closed when the client has closed its half.
   */
  readonly oneWay: boolean;
  /** A connection without a segment for this long is closed. */
  readonly idleTimeout: Duration;
  /** How long a closed connection is remembered, so that its stragglers do not look like a new one. */
  readonly closedLinger: Duration;
  readonly maxConnections: number;
  /** With `maxConnections` open: turn a new one away (EVENT_REJECTED), or close the one that was quiet longest. */
  readonly atCapacity: 'reject' | 'evict';
  /** Out-of-order bytes held for one direction; see docs/reassembly.md for what each cap does. */
  readonly maxHeldPerStream: number;
  /** Out-of-order bytes held altogether. */
  readonly maxHeldTotal: number;
  /** Which end of a connection seen from the middle is the client; when unsure, the ports tell. */
  readonly clientOf?: (segment: Segment) => 'source' | 'destination' | undefined;
  /** Makes hash collisions unpredictable to whoever sends the traffic. */
  readonly hashSeed?: number;
}

/** Live traffic: bounded waiting. */
export const LIVE_TRACKER: TrackerOptions = {
  midstream: 'data',
  suspectOpens: 'unless-rare',
  gapPatience: millis(500),
  unansweredGapPatience: seconds(15),
  resentGapPatience: seconds(60),
  ackedGapPatience: millis(50),
  resetPatience: millis(0),
  startAtOnce: true,
  oneWay: false,
  idleTimeout: seconds(600),
  closedLinger: seconds(10),
  maxConnections: 1 << 20,
  atCapacity: 'reject',
  maxHeldPerStream: 4 << 20,
  maxHeldTotal: 64 << 20,
};

/** A recording to be understood as completely as it can be: everything waits for everything. */
export const RECORDING_TRACKER: TrackerOptions = {
  midstream: 'any',
  suspectOpens: 'always',
  gapPatience: WAIT_FOREVER,
  unansweredGapPatience: WAIT_FOREVER,
  resentGapPatience: WAIT_FOREVER,
  ackedGapPatience: WAIT_FOREVER,
  resetPatience: WAIT_FOREVER,
  startAtOnce: false,
  oneWay: false,
  idleTimeout: WAIT_FOREVER,
  closedLinger: WAIT_FOREVER,
  maxConnections: 1 << 17,
  atCapacity: 'evict',
  maxHeldPerStream: 32 << 20,
  maxHeldTotal: 64 << 20,
};

const COUNTERS = [
  'segments',
  'connections',
  'segments-without-connection',
  'segments-after-close',
  'segments-out-of-window',
  'bytes-delivered',
  'bytes-duplicate',
  'bytes-after-fin',
  'bytes-bad-checksum',
  'bytes-bad-checksum-used',
  'bytes-keep-alive',
  'resets-ignored',
  'gaps',
  'gap-bytes',
  'gaps-forced-by-stream-cap',
  'gaps-forced-by-total-cap',
  'connections-rejected',
  'connections-evicted',
  'connections-idle',
  'segments-of-unseen-half',
] as const;

export type TrackerCounter = (typeof COUNTERS)[number];

export const COUNT_SEGMENTS = 0;
export const COUNT_CONNECTIONS = 1;
export const COUNT_WITHOUT_CONNECTION = 2;
export const COUNT_AFTER_CLOSE = 3;
export const COUNT_OUT_OF_WINDOW = 4;
export const COUNT_DELIVERED = 5;
export const COUNT_DUPLICATE = 6;
export const COUNT_AFTER_FIN = 7;
export const COUNT_BAD_CHECKSUM = 8;
export const COUNT_BAD_CHECKSUM_USED = 9;
export const COUNT_KEEP_ALIVE = 10;
export const COUNT_RESETS_IGNORED = 11;
export const COUNT_GAPS = 12;
export const COUNT_GAP_BYTES = 13;
export const COUNT_STREAM_CAP = 14;
export const COUNT_TOTAL_CAP = 15;
export const COUNT_REJECTED = 16;
export const COUNT_EVICTED = 17;
export const COUNT_IDLE = 18;
/** Server → client segments where only the other direction is to be looked at. */
export const COUNT_OUT_OF_SIGHT = 19;

export function trackerCounters(): Counters<TrackerCounter> {
  return new Counters(COUNTERS);
}
