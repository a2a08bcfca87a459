/**
 * How long a session goes on without progress (RFC 9293 §3.8.3, R2). Progress is an acknowledgement of something new, or a
 * shut window that opens.
 *
 * With the window open there is a limit on timeouts in a row and one on time. With the window shut a living peer answers
 * each probe, and then only the patience for shut windows ends it; a silent one is given up as soon as any other.
 */
import { elapsedShort, instant, shorten, type Duration, type Instant, type ShortInstant } from '../core/time.ts';
import type { SessionConfig } from './session-config.ts';

export class Patience {
  /** Timeouts, or probes, since there was progress. */
  tries = 0;
  #since: ShortInstant = shorten(instant(0));
  /** When the peer last acknowledged anything, new or not. */
  #heardAt: ShortInstant = shorten(instant(0));

  /** Progress, or the beginning of a wait for it. */
  restart(now: Instant): void {
    this.tries = 0;
    this.#since = shorten(now);
  }

  heard(now: Instant): void {
    this.#heardAt = shorten(now);
  }

  /** Since the peer was heard; after more than half an hour it may be anything. */
  silence(now: Instant): Duration {
    return elapsedShort(now, this.#heardAt);
  }

  /** Whether one more timeout of at most `limit` in a row is too much. */
  isOver(now: Instant, limit: number, config: SessionConfig): boolean {
    return this.tries >= limit || elapsedShort(now, this.#since) >= config.giveUpAfter;
  }

  isOverShut(now: Instant, config: SessionConfig): boolean {
    const waited = elapsedShort(now, this.#since);
    const silence = this.silence(now);
    return (silence < waited ? silence : waited) >= config.giveUpAfter || waited >= config.zeroWindowTimeout;
  }
}
