/**
 * The ledger: what became of every connection and every unit of client data. A *unit* is one request-like stretch of
 * client bytes on one copy of a connection (one message where a codec reads them; otherwise the bytes a client sent
 * between two responses). Each unit is opened once and settled once; so is each connection. `balance` proves it.
 */
import { Counters } from '../core/counters.ts';
import { DROP_REASONS } from '../core/drop-reason.ts';

/** Where a unit can end. The order is the order of the summary. */
export const UNIT_BUCKETS = [
  'answered', // delivered to the target, which responded
  'unanswered', // delivered (acknowledged), no response before the session ended
  'refused', // the target refused the connection
  'reset', // the target reset the session before answering
  'timed-out', // the target never acknowledged it
  'sampled-out', // -r
  'filtered', // a plugin's verdict
  'plugin-error', // a plugin failed, and what it was to look at must not pass
  'login-failed', // the target did not take the login that the protocol's plugin performs
  'not-replayable', // the protocol's plugin cannot put it to the target
  'not-picked-up', // before the first boundary of a connection already open, or excluded by -O
  'capture-gap', // the capture lost bytes of it
  'kernel-drop', // lost with frames the kernel dropped
  'queue-cap', // the connection's queue was full
  'memory-cap', // -m
  'session-cap', // too many sessions
  'shed', // left out to spare this host or the target: see SHED_REASONS
  'no-lease', // no source port was free
  'no-intercept', // no intercept was connected
  'send-failed', // the kernel would not send it
  'worker-lost', // under way in a worker process that died
  'shutdown', // still in flight at exit
] as const;
export type UnitBucket = (typeof UNIT_BUCKETS)[number];

/** Where a captured connection can end. */
export const CONNECTION_BUCKETS = [
  'replayed', // every unit of it delivered
  'partly-replayed', // some units delivered, some not
  'no-data', // the client sent nothing
  'sampled-out',
  'filtered',
  'plugin-error',
  'login-failed',
  'not-replayable',
  'not-picked-up',
  'refused',
  'reset',
  'timed-out',
  'capture-gap',
  'kernel-drop',
  'queue-cap',
  'memory-cap',
  'session-cap',
  'shed',
  'no-lease',
  'no-intercept',
  'send-failed',
  'worker-lost',
  'shutdown',
] as const;
export type ConnectionBucket = (typeof CONNECTION_BUCKETS)[number];

/** Why units are left out, all of them in the bucket `shed`. */
export const SHED_REASONS = [
  'cpu', // --max-cpu
  'host-cpu', // --max-host-cpu
  'kernel-drops', // the kernel dropped frames
  'memory', // -m, or too much waited for the target
  'target-silent', // no answer at all while many waited
  'target-slow', // it fell further and further behind
  'target-full', // its windows were shut
  'target-failing', // it refused, broke off or answered with errors more often than not
] as const;
export type ShedReason = (typeof SHED_REASONS)[number];

/** Why the responses of a session were read no further. */
export const UNREAD_REASONS = [
  'cut', // bytes of them did not reach us
  'not-understood', // they are not what the protocol says
  'plugin-error', // the plugin that reads them failed
] as const;
export type UnreadReason = (typeof UNREAD_REASONS)[number];

/** Buckets of units that reached the target's application. */
const DELIVERED: readonly UnitBucket[] = ['answered', 'unanswered'];
/** Buckets of units that nobody asked to replay: they do not count against fidelity. */
const EXCLUDED: readonly UnitBucket[] = ['sampled-out', 'filtered'];

export interface LedgerBalance {
  readonly balanced: boolean;
  readonly units: { readonly opened: number; readonly settled: number };
  readonly connections: { readonly opened: number; readonly settled: number };
  readonly frames: { readonly seen: number; readonly segments: number; readonly dropped: number };
}

export class Ledger {
  readonly units = new Counters(UNIT_BUCKETS);
  readonly connections = new Counters(CONNECTION_BUCKETS);
  readonly frames = new Counters(DROP_REASONS);
  /** The units in `shed`, by reason. */
  readonly shed = new Counters(SHED_REASONS);
  /** Frames handed out by the sources, and those of them that were TCP segments of interest. */
  framesSeen = 0;
  segments = 0;
  /** Frames the kernel dropped before we saw them. */
  kernelDropped = 0;
  unitsOpened = 0;
  connectionsOpened = 0;
  /** Client bytes captured in order, and bytes the target acknowledged. */
  bytesCaptured = 0;
  bytesDelivered = 0;
  /** Client bytes known to be missing from the capture. */
  bytesMissing = 0;
  sessionsOpened = 0;
  retransmissions = 0;
  responses = 0;
  /** Messages of the target's that were read, those that say it failed, and sessions that could not be read to their end. */
  responsesRead = 0;
  responsesFailed = 0;
  readonly sessionsUnread = new Counters(UNREAD_REASONS);
  /** The same of the online server, by connection; one that could be read again counts each time. */
  onlineRead = 0;
  readonly onlineUnread = new Counters(UNREAD_REASONS);

  settleUnit(bucket: UnitBucket, n = 1): void {
    this.units.add(UNIT_BUCKETS.indexOf(bucket), n);
  }

  settleConnection(bucket: ConnectionBucket): void {
    this.connections.add(CONNECTION_BUCKETS.indexOf(bucket));
  }

  balance(): LedgerBalance {
    const sum = (c: Counters<string>) => c.values.reduce((a, b) => a + b, 0);
    const units = { opened: this.unitsOpened, settled: sum(this.units) };
    const connections = { opened: this.connectionsOpened, settled: sum(this.connections) };
    const frames = { seen: this.framesSeen, segments: this.segments, dropped: sum(this.frames) };
    return {
      balanced:
        units.opened === units.settled &&
        connections.opened === connections.settled &&
        frames.seen === frames.segments + frames.dropped,
      units,
      connections,
      frames,
    };
  }

  /** Units that reached the target's application. */
  delivered(): number {
    return DELIVERED.reduce((n, b) => n + this.units.get(b), 0);
  }

  /** Settled units that nobody asked to replay. */
  excluded(): number {
    return EXCLUDED.reduce((n, b) => n + this.units.get(b), 0);
  }

  /** Settled units that should have reached the target and did not. */
  lost(): number {
    return this.units.values.reduce((a, b) => a + b, 0) - this.delivered() - this.excluded();
  }

  /** Units that are not settled yet. */
  underWay(): number {
    return this.unitsOpened - this.units.values.reduce((a, b) => a + b, 0);
  }

  /** Delivered units over units that were to be replayed, in percent; 100 when there were none. */
  fidelity(): number {
    const wanted = this.unitsOpened - this.excluded();
    return wanted === 0 ? 100 : (100 * this.delivered()) / wanted;
  }
}
