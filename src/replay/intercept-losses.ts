/** Adds up what intercepts say they have lost, over reconnects and restarts of theirs. */
import type { Stats } from '../control/messages.ts';

export interface InterceptLosses {
  /** Frames that the kernel on the intercept's host dropped since we connected. */
  readonly kernelDropped: number;
  /** Responses to us that were dropped because we read too slowly. */
  readonly dropped: number;
  /** Responses that were sent to us. */
  readonly forwarded: number;
}

export class LossCounter {
  #intercept = '';
  #last: Stats | undefined;
  readonly #totals = { kernelDropped: 0, dropped: 0, forwarded: 0 };

  /** `intercept`: the id of the intercept's run. */
  add(intercept: string, stats: Stats): void {
    const last = intercept === this.#intercept ? this.#last : undefined;
    // Of two connections, one may deliver older figures later.
    if (last !== undefined && stats.frames < last.frames) return;
    this.#intercept = intercept;
    this.#last = stats;
    // What the kernel dropped before we came is none of our business; the other two begin at 0 with us.
    this.#totals.kernelDropped += last === undefined ? 0 : increase(stats.kernelDropped, last.kernelDropped);
    this.#totals.dropped += increase(stats.dropped, last?.dropped ?? 0);
    this.#totals.forwarded += increase(stats.forwarded, last?.forwarded ?? 0);
  }

  totals(): InterceptLosses {
    return { ...this.#totals };
  }
}

/** A smaller figure means that the intercept has forgotten us meanwhile and began again at 0. */
function increase(now: number, before: number): number {
  return now >= before ? now - before : now;
}
