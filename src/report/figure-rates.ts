/** Rates between one look at the figures of a run and the next, and how the rate of requests has gone. */
import { toSeconds } from '../core/time.ts';
import type { Ledger } from './ledger.ts';
import type { RunFacts } from './run-facts.ts';

/** Looks that are remembered of the rate of requests. */
const HISTORY = 120;
/** Requests under way are many where they are more than come in so many seconds. */
export const MANY_UNDER_WAY = 2;

/** Each a second. */
export interface Rates {
  readonly captured: number;
  readonly delivered: number;
  readonly lost: number;
  /** By the ledger's bucket of units. */
  readonly units: readonly number[];
  readonly clientBytes: number;
  readonly kernelDropped: number;
  readonly packets: number;
  /** Own CPU time: 1 is one processor. */
  readonly cpu: number;
  readonly pluginCalls: ReadonlyMap<string, number>;
  /** Of `captured`, oldest first. */
  readonly history: readonly number[];
}

interface Figures {
  readonly at: number;
  readonly values: readonly number[];
  readonly units: readonly number[];
  readonly plugins: ReadonlyMap<string, number>;
}

const NOTHING: Figures = { at: 0, values: [], units: [], plugins: new Map() };

export class FigureRates {
  #before = NOTHING;
  readonly #history: number[] = [];

  next(ledger: Ledger, facts: RunFacts): Rates {
    const now: Figures = {
      at: toSeconds(facts.elapsed),
      values: [
        ledger.unitsOpened,
        ledger.delivered(),
        ledger.lost(),
        ledger.bytesCaptured,
        ledger.kernelDropped,
        facts.sent?.packets ?? 0,
        toSeconds(facts.cpu),
      ],
      units: [...ledger.units.values],
      plugins: new Map(facts.plugins.map(({ name, calls }) => [name, calls])),
    };
    const before = this.#before;
    this.#before = now;
    const passed = now.at - before.at;
    const rate = (value: number, then: number | undefined): number =>
      passed > 0 ? Math.max(0, value - (then ?? 0)) / passed : 0;
    const [captured, delivered, lost, clientBytes, kernelDropped, packets, cpu] = now.values.map((value, i) =>
      rate(value, before.values[i]),
    ) as [number, number, number, number, number, number, number];
    this.#history.push(captured);
    if (this.#history.length > HISTORY) this.#history.shift();
    return {
      ...{ captured, delivered, lost, clientBytes, kernelDropped, packets, cpu },
      units: now.units.map((value, i) => rate(value, before.units[i])),
      pluginCalls: new Map([...now.plugins].map(([name, calls]) => [name, rate(calls, before.plugins.get(name))])),
      history: this.#history,
    };
  }
}
