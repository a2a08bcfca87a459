/** Bits of a connection's `state`: work that is left to do, and what it has gone through. */

/** EVENT_OPENED is still to come. */
export const TO_ANNOUNCE = 1;
/** What is missing is to be declared, and the last event given. */
export const TO_CLOSE = 2;
/** Waits in the queue for `poll`. */
export const QUEUED = 4;
/** A reset was seen and waits for what may still come before it. */
export const RESET_SEEN = 8;
/** The last event has been given. */
export const OVER = 16;
