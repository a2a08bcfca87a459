/**
 * Congestion window by RFC 5681: slow start, one segment per round trip after it, half on loss, one segment on timeout.
 * Counted in bytes (RFC 3465), so that the few large acknowledgements of a receiver that merges segments open it as much
 * as many small ones would.
 */
/** What all sessions of a target share. */
export interface CongestionLimits {
  readonly initialWindowSegments: number;
  /** More than this is never in flight, so growing further would say nothing. */
  readonly sendBufferPerSession: number;
}

export class Congestion {
  window: number;
  /** Below it slow start, from it on congestion avoidance. */
  threshold = 0x3fff_ffff;
  #mss: number;
  readonly #limits: CongestionLimits;
  /** Bytes acknowledged towards the next segment's worth of growth. */
  #credit = 0;

  constructor(mss: number, limits: CongestionLimits) {
    this.#mss = mss;
    this.#limits = limits;
    this.window = mss * limits.initialWindowSegments;
  }

  /** The segment size became known, or smaller. Before anything was sent the initial window follows it. */
  setMss(mss: number, fresh: boolean): void {
    this.#mss = mss;
    if (fresh) this.window = mss * this.#limits.initialWindowSegments;
  }

  /** New data was acknowledged outside of fast recovery; `limited`: the window was what held the sender back. */
  acknowledged(bytes: number, limited: boolean): void {
    if (!limited || this.window >= this.#limits.sendBufferPerSession) return;
    if (this.window < this.threshold) {
      this.window += bytes;
      return;
    }
    this.#credit += bytes;
    if (this.#credit >= this.window) {
      this.#credit -= this.window;
      this.window += this.#mss;
    }
  }

  /** Fast retransmit (RFC 5681 §3.2). */
  lost(inFlight: number): void {
    this.threshold = Math.max(inFlight >> 1, 2 * this.#mss);
    this.window = this.threshold;
    this.#credit = 0;
  }

  /** RFC 5681 §3.1; `again`: the same data timed out before, so the threshold has been set. */
  timedOut(inFlight: number, again: boolean): void {
    if (!again) this.threshold = Math.max(inFlight >> 1, 2 * this.#mss);
    this.window = this.#mss;
    this.#credit = 0;
  }

  /** Nothing was sent for longer than a timeout: what was learnt may no longer hold (RFC 5681 §4.1). */
  restart(): void {
    this.window = Math.min(this.window, this.#mss * this.#limits.initialWindowSegments);
  }
}
