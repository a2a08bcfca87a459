/** What a session has to tell its owner. `Session.poll` hands these out until it answers EVENT_NONE. */
export const EVENT_NONE = 0;
/** The handshake is done. Once. */
export const EVENT_CONNECTED = 1;
/** The peer acknowledged more of our stream: there is room in the send buffer. */
export const EVENT_ACKED = 2;
/** Bytes of the peer's stream, in order: see `Session.received`. */
export const EVENT_DATA = 3;
/** The peer will send no more. Once, after all its data. */
export const EVENT_PEER_FIN = 4;
/** Both directions ended as they should, or `abort` was called. This and the following are the last event. */
export const EVENT_CLOSED = 5;
/** A RST answered our SYN. */
export const EVENT_REFUSED = 6;
/** The peer reset the connection. */
export const EVENT_RESET = 7;
/** The peer stopped answering, or kept its window shut or its half open, for longer than the configuration bears. */
export const EVENT_TIMED_OUT = 8;

export type SessionEvent = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export const SESSION_EVENT_NAMES = [
  'none',
  'connected',
  'acked',
  'data',
  'peer-fin',
  'closed',
  'refused',
  'reset',
  'timed-out',
] as const;
