/**
 * How far the target's response to the last unit has come, judged without reading it: by its length, PSH and silence.
 */
import {
  addTime,
  elapsedShort,
  millis,
  NEVER,
  seconds,
  shorten,
  type Duration,
  type Instant,
  type ShortInstant,
} from '../core/time.ts';

/** A response is over when this long has passed since a segment with PSH and nothing followed… */
const QUIET = millis(10);
/** …and this long after one without: longer than a retransmission takes, should the PSH have been lost. */
const PUSHLESS_QUIET = seconds(1);
/** Nobody waits for a session to close, so shorter responses than online are given more time. */
const CLOSING_QUIET = millis(200);

/** A busy target, or one whose packet was lost, pauses between its responses to requests sent all at once. */
const SILENCE = seconds(1);

export class ResponseTurn {
  /** Response bytes of the session so far. */
  received = 0;
  /** Those since the last unit began to be sent. */
  #sinceTurn = 0;
  #pushSeen = false;
  #asked = 0 as ShortInstant;
  #last: Instant = NEVER;

  /** A fresh session. */
  reset(now: Instant): void {
    this.received = 0;
    this.begin(now);
  }

  /** A unit begins to be sent: what comes from now on may answer it. */
  begin(now: Instant): void {
    this.askedOn(now);
    this.#sinceTurn = 0;
    this.#pushSeen = false;
  }

  /** More of the unit is sent, which the target may have to have before it responds. */
  askedOn(now: Instant): void {
    this.#asked = shorten(now);
  }

  /** Response bytes arrived; returns whether they are the first of their turn. */
  take(length: number, push: boolean, now: Instant): boolean {
    const first = this.#sinceTurn === 0;
    this.received += length;
    this.#sinceTurn += length;
    this.#pushSeen = push;
    this.#last = now;
    return first;
  }

  /** How long it is since something of the last unit was sent, as of `now`; of less than half an hour. */
  time(now: Instant): Duration {
    return elapsedShort(now, this.#asked);
  }

  /** Whether the target has said what the client had seen, `expected` bytes online, before it sent on. */
  isOver(expected: number, now: Instant): boolean {
    if (this.#sinceTurn === 0) return false;
    return (this.#pushSeen && this.#sinceTurn >= expected) || now >= this.quietAt;
  }

  /**
   * Whether the target has said what the client had seen online before it closed: `expected` bytes since its last message
   * began, and `before` in the session before that. (What a slow target says late must not count twice.)
   */
  mayClose(expected: number, before: number, now: Instant): boolean {
    if (this.#sinceTurn === 0) return true;
    return (this.#sinceTurn >= expected && this.received >= before + expected) || now >= this.closeAt;
  }

  /** When a session whose client has closed may be closed if nothing more comes. */
  get closeAt(): Instant {
    return this.#sinceTurn === 0 ? NEVER : addTime(this.#last, CLOSING_QUIET);
  }

  /** When so long a silence has passed that nothing more is to come of several responses; NEVER before any has begun. */
  get silentAt(): Instant {
    return this.#sinceTurn === 0 ? NEVER : addTime(this.#last, SILENCE);
  }

  /** When the response counts as over if nothing more comes; NEVER before it has begun. */
  get quietAt(): Instant {
    return this.#sinceTurn === 0 ? NEVER : addTime(this.#last, this.#pushSeen ? QUIET : PUSHLESS_QUIET);
  }
}
