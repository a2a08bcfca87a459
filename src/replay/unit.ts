import type { Instant } from '../core/time.ts';

/** One unit of client data on its way through one session; offsets and lengths in bytes. */
export class Unit {
  /** Captured so far. */
  length = 0;
  /** Handed to the session so far. */
  sent = 0;
  /** No more bytes will come. */
  ended = false;
  /** Where it begins in the session's stream; -1 while it waits. */
  start = -1;
  /** Response bytes the session had received when the unit was released. */
  receivedBefore = 0;
  /** Server bytes the client had seen before it sent this; 0: it waited for nothing. */
  readonly answers: number;
  /** When its first byte was captured. */
  readonly captured: Instant;

  constructor(answers: number, captured: Instant) {
    this.answers = answers;
    this.captured = captured;
  }

  get released(): boolean {
    return this.start >= 0;
  }

  /** All of it is with the session. */
  get handedOver(): boolean {
    return this.ended && this.sent === this.length;
  }
}
