/** What a link to an intercept is made of, and what it tells. */
import type { ClientRange, TargetRange } from '../control/messages.ts';
import type { ConnectionOptions } from './intercept-connection.ts';

type Heartbeat = 'heartbeatInterval' | 'heartbeatTimeout';

export interface InterceptLinkOptions
  extends Omit<ConnectionOptions, Heartbeat>, Partial<Pick<ConnectionOptions, Heartbeat>> {
  /** Where responses come from. */
  readonly targets: readonly TargetRange[];
  /** Source addresses of the sessions; empty for any. */
  readonly clientRanges: readonly ClientRange[];
  /** Payload bytes wanted per response segment: 0, a number, or PAYLOAD_ALL. */
  readonly wantPayload: number;
  /** Port blocks to ask for at first; default 4. */
  readonly blocks?: number;
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
