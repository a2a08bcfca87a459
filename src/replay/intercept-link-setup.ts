/** What a link to an intercept is made of, and what it tells. */
import type { ControlTrust } from '../config/copy-options.ts';
import type { ClientRange, TargetRange } from '../control/messages.ts';
import type { Duration, Instant } from '../core/time.ts';

export interface InterceptLinkOptions {
  readonly host: string;
  readonly port: number;
  /** Control connections, 1–16. */
  readonly connections: number;
  /** Pre-shared key. */
  readonly key: string | undefined;
  /** `undefined`: plain TCP. */
  readonly tls: ControlTrust | undefined;
  /**
   * Eight random bytes. The same for links to different intercepts, which then tend to grant the same blocks; never the
   * same for two links to one intercept.
   */
  readonly instanceId: Uint8Array;
  /** Version of this program, for the intercept's log. */
  readonly software: string;
  /** Where responses come from. */
  readonly targets: readonly TargetRange[];
  /** Source addresses of the sessions; empty for any. */
  readonly clientRanges: readonly ClientRange[];
  /** Payload bytes wanted per response segment: 0, a number, or PAYLOAD_ALL. */
  readonly wantPayload: number;
  /** Port blocks to ask for at first; default 4. */
  readonly blocks?: number;
  /** The loop's monotonic clock; gives `segment.time`. */
  readonly now: () => Instant;
  readonly heartbeatInterval?: Duration;
  readonly heartbeatTimeout?: Duration;
}

/** Calls may come from within `nextResponse`, since lease messages and responses share the connections. */
export interface InterceptLinkListener {
  up(): void;
  /** New sessions must wait; the link keeps retrying. */
  down(reason: string): void;
  leased(firstPort: number, count: number): void;
  /** The sessions on these ports will hear nothing any more. */
  leaseLost(firstPort: number, count: number): void;
  /** Responses are waiting: call `nextResponse` until it says false. */
  ready(): void;
  /** Payload is wanted, and this intercept cannot send any. */
  noPayload?(): void;
  /** Fewer blocks were granted than wanted. */
  leaseRefused?(wanted: number, granted: number, free: number): void;
}
