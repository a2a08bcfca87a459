/** Messages that wait for their answers: bounded in number and bytes, each with its deadline. */
import type { PluginEnv } from 'tcpcopy/plugin';
import type { Failure, Outcome } from './outcome.ts';

/** Bytes of lines that wait for an answer. */
const MOST_BYTES = 64 << 20;

interface Waiting {
  readonly length: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly cancel: () => void;
}

export class Pending {
  readonly #env: Pick<PluginEnv, 'after'>;
  readonly #most: number;
  readonly #timeout: number;
  readonly #onLate: () => void;
  readonly #waiting = new Map<number, Waiting>();
  #bytes = 0;

  /** `most` messages wait, `timeout` milliseconds each; `onLate` hears of every one that has waited in vain. */
  constructor(env: Pick<PluginEnv, 'after'>, most: number, timeout: number, onLate: () => void) {
    this.#env = env;
    this.#most = most;
    this.#timeout = timeout;
    this.#onLate = onLate;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Whether there is room for one more, of this many bytes. */
  accepts(length: number): boolean {
    return this.#waiting.size < this.#most && this.#bytes + length <= MOST_BYTES;
  }

  /** Waits for the answer to `id`. */
  add(id: number, length: number): Promise<Outcome> {
    return new Promise((resolve) => {
      const late = (): void => {
        this.settle(id, { failure: 'late' });
        this.#onLate();
      };
      this.#waiting.set(id, { length, resolve, cancel: this.#env.after(this.#timeout, late) });
      this.#bytes += length;
    });
  }

  /** Returns whether it was waited for. */
  settle(id: number, outcome: Outcome): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    this.#waiting.delete(id);
    this.#bytes -= waiting.length;
    waiting.cancel();
    waiting.resolve(outcome);
    return true;
  }

  /** Nobody will answer any more. */
  failAll(failure: Failure): void {
    for (const id of [...this.#waiting.keys()]) this.settle(id, { failure });
  }
}
