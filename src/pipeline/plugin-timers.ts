/** What plugins ask to have called later, and how long they may take to set themselves up. */
import { millis, seconds, toSeconds, type Instant } from '../core/time.ts';
import { PluginMistake } from './error-policy.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { HostClock, TapRunner } from './tap-runner.ts';

const READY = seconds(30);
const LONGEST_TIMER_MS = 86_400_000;

export class PluginTimers {
  readonly #clock: HostClock;
  readonly #runner: TapRunner;
  /** How to take back those that are still to come. */
  readonly #pending = new Set<() => void>();

  constructor(clock: HostClock, runner: TapRunner) {
    this.#clock = clock;
    this.#runner = runner;
  }

  now(): Instant {
    return this.#clock.now();
  }

  /** Calls `fn` for a plugin after so many milliseconds, unless what this gives is called before. */
  after(plugin: PluginRecord, ms: number, fn: () => void): () => void {
    if (!(typeof ms === 'number' && ms >= 0 && ms <= LONGEST_TIMER_MS)) {
      throw new PluginMistake(`a timer is set to a number of milliseconds from 0 to ${LONGEST_TIMER_MS}`);
    }
    const stop = this.#clock.after(millis(ms), () => {
      this.#pending.delete(cancel);
      this.#runner.ask(plugin, 'a timer', fn);
    });
    const cancel = (): void => {
      this.#pending.delete(cancel);
      stop();
    };
    this.#pending.add(cancel);
    return cancel;
  }

  /** Waits until a plugin has set itself up, but not for ever. */
  async ready(pending: void | Promise<void>): Promise<void> {
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = this.#clock.after(READY, () => reject(new Error(`not ready after ${toSeconds(READY)} s`)));
    });
    try {
      await Promise.race([pending, late]);
    } finally {
      cancel();
    }
  }

  cancelAll(): void {
    for (const cancel of this.#pending) cancel();
  }
}
