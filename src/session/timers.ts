/**
 * The timers of one session: a name and an instant each, NEVER when off.
 *
 * `wake` is what the owner sleeps until. It moves earlier at once but later only when it has passed: a session that
 * trades a request and a response every few milliseconds sets and clears its timers with each, and re-keying the owner's
 * timer wheel every time would cost more than one idle wake-up now and then.
 */
import { addTime, earliest, NEVER, type Duration, type Instant } from '../core/time.ts';

export class Timers {
  wake: Instant = NEVER;
  /** SYN, data or FIN unacknowledged (RFC 6298). On whenever anything is. */
  retransmit: Instant = NEVER;
  /** Received data not yet acknowledged (RFC 9293 §3.8.6.3). */
  delayedAck: Instant = NEVER;
  /** `undefined`: off. Each instant in a field of its own is an object of V8's, and these two are set rarely. */
  #persist: Instant | undefined = undefined;
  #linger: Instant | undefined = undefined;

  /** Data waiting behind a shut window (RFC 9293 §3.8.6.1). */
  get persist(): Instant {
    return this.#persist ?? NEVER;
  }

  /** The end of FIN-WAIT-2 or TIME-WAIT. */
  get linger(): Instant {
    return this.#linger ?? NEVER;
  }

  setRetransmit(now: Instant, after: Duration): void {
    this.retransmit = addTime(now, after);
    if (this.retransmit < this.wake) this.wake = this.retransmit;
  }

  setPersist(now: Instant, after: Duration): void {
    const at = addTime(now, after);
    this.#persist = at;
    if (at < this.wake) this.wake = at;
  }

  clearPersist(): void {
    this.#persist = undefined;
  }

  setDelayedAck(now: Instant, after: Duration): void {
    this.delayedAck = addTime(now, after);
    if (this.delayedAck < this.wake) this.wake = this.delayedAck;
  }

  setLinger(now: Instant, after: Duration): void {
    const at = addTime(now, after);
    this.#linger = at;
    if (at < this.wake) this.wake = at;
  }

  /** After `wake` has passed and what was due has been done. */
  rewake(): void {
    this.wake = earliest(earliest(this.retransmit, this.persist), earliest(this.delayedAck, this.linger));
  }

  clear(): void {
    this.retransmit = NEVER;
    this.#persist = undefined;
    this.delayedAck = NEVER;
    this.#linger = undefined;
    this.wake = NEVER;
  }
}
