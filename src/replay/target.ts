/**
 * What the engine asks of a target, raw or socket: open a session, put bytes into it, hear what became of them.
 */
import type { Endpoint } from '../core/ip-address.ts';
import type { UnitBucket } from '../report/ledger.ts';

/** How a session ended, seen from here. */
export type SessionEnd = 'closed' | 'refused' | 'reset' | 'timed-out' | 'send-failed';

/** Why no session could be opened just now. */
export type OpenFailure = Extract<UnitBucket, 'no-lease' | 'no-intercept' | 'session-cap' | 'memory-cap'>;

export interface TargetSession {
  /** Copies up to `length` bytes and returns how many it took; 0 when its buffer is full (`progressed` follows). */
  send(bytes: Uint8Array, offset: number, length: number): number;
  /** Closes once everything sent has been delivered. */
  close(): void;
  /** Resets at once. No further event follows. */
  abort(): void;
  /** Stream bytes that the target has acknowledged (raw) or the kernel has taken over (socket). */
  readonly acknowledged: number;
}

/** Who opened a session, and hears of it. */
export interface SessionOwner {
  /** More is acknowledged, or there is room to send again. */
  sessionProgressed(): void;
  /**
   * Response bytes in order, valid during the call; `bytes` is undefined where only their number is known. `push`: the
   * target ended a write here.
   */
  sessionReceived(bytes: Uint8Array | undefined, offset: number, length: number, push: boolean): void;
  /** The target will send no more. */
  sessionPeerClosed(): void;
  /** The last event of a session. */
  sessionEnded(end: SessionEnd): void;
}

export interface Target {
  /** Bytes of all sessions' buffers in use. */
  readonly bufferedBytes: number;
  readonly openSessions: number;
  /** Sessions of which the target takes no more bytes just now (a window of zero), as far as that can be told. */
  readonly shutOut: number;
  /** Packets that the kernel took, and that it refused, as far as they are ours to send. */
  readonly packets: number;
  readonly unsent: number;
  /** Grows whenever a target has said something. */
  readonly heard: number;
  /** Whether sessions can be opened at all just now: offline replay waits for it. */
  readonly ready: boolean;
  /** `replica`: 0 for the first copy of a connection, 1 for the second… */
  open(owner: SessionOwner, client: Endpoint, target: Endpoint, replica: number): TargetSession | OpenFailure;
  /** Sends what the calls since the last flush have produced. */
  flush(): void;
  /** Ends all sessions (RST, or destroy). */
  abortAll(): void;
  close(): Promise<void>;
}
