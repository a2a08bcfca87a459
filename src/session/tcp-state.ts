/**
 * The states of RFC 9293 §3.3.2 that an active opener can be in, and the rules that lead from one to the next.
 *
 * States are small integers, in an order that makes the common questions one comparison: everything from ESTABLISHED on
 * is synchronized with the peer. LISTEN is missing because a replayed client never waits to be called.
 *
 *     CLOSED ─open─▶ SYN_SENT ─SYN-ACK─▶ ESTABLISHED ─close─▶ FIN_WAIT_1 ─FIN acked─▶ FIN_WAIT_2 ─peer FIN─▶ TIME_WAIT
 *                       │                  │    │                 └─peer FIN─▶ CLOSING ─FIN acked──────────────┘
 *                     (SYN)                │    └─peer FIN─▶ CLOSE_WAIT ─close─▶ LAST_ACK ─FIN acked─▶ CLOSED
 *                       ▼                  │
 *                  SYN_RECEIVED ───(ACK)───┘
 */
export const CLOSED = 0;
export const SYN_SENT = 1;
export const SYN_RECEIVED = 2;
export const ESTABLISHED = 3;
export const FIN_WAIT_1 = 4;
export const FIN_WAIT_2 = 5;
export const CLOSE_WAIT = 6;
export const CLOSING = 7;
export const LAST_ACK = 8;
export const TIME_WAIT = 9;

export type TcpState = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** For traces and test failures, by state. */
export const TCP_STATE_NAMES = [
  'CLOSED',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
] as const;

/** "In this state this leads nowhere": the event changes nothing. */
export const STAYS = -1;

export type Rule = readonly (TcpState | typeof STAYS)[];

/** The user closes, and data may be sent (RFC 9293 §3.10.4). Before ESTABLISHED the wish is remembered instead. */
export const ON_CLOSE: Rule = [STAYS, STAYS, STAYS, FIN_WAIT_1, STAYS, STAYS, LAST_ACK, STAYS, STAYS, STAYS];

/** The peer acknowledges our FIN (RFC 9293 §3.10.7.4, fifth). */
export const ON_FIN_ACKED: Rule = [STAYS, STAYS, STAYS, STAYS, FIN_WAIT_2, STAYS, STAYS, TIME_WAIT, CLOSED, STAYS];

/** The peer's FIN comes in order (RFC 9293 §3.10.7.4, eighth). */
export const ON_PEER_FIN: Rule = [STAYS, STAYS, STAYS, CLOSE_WAIT, CLOSING, TIME_WAIT, STAYS, STAYS, STAYS, STAYS];

/** Whether the peer may still send us data: its FIN has not come. */
export function canReceive(state: TcpState): boolean {
  return state === ESTABLISHED || state === FIN_WAIT_1 || state === FIN_WAIT_2;
}
