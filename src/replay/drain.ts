/** The end of a run's input: what is in flight has a bounded time to finish, and the rest is given up. */
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../clock/clock.ts';
import { elapsed, millis, seconds } from '../core/time.ts';
import type { Ledger } from '../report/ledger.ts';
import type { Engine } from './engine.ts';
import { hearOut } from './hear-out.ts';
import type { Target } from './target.ts';

/** After a signal, for what is in flight. */
const STOP_IN_FLIGHT = millis(1_200);
/** After the end of a recording everything has this long without any progress. */
const STALL = seconds(35);
/** After the last unit is settled, for the goodbyes of sessions, when the run is to end. */
const CLOSING = millis(500);
/** Between looks, milliseconds. */
const LOOK_MS = 10;

export interface Draining {
  readonly engine: Pick<Engine, 'activeConnections' | 'giveUp'>;
  readonly ledger: Ledger;
  readonly target: Target;
  /** Somebody waits for the run to end. */
  readonly stopped: () => boolean;
  readonly failed: () => boolean;
}

/** Resolves when nothing is in flight any more. */
export async function drain({ engine, ledger, target, stopped, failed }: Draining): Promise<void> {
  let progress = -1;
  let stalledAt = monotonicNow();
  while (engine.activeConnections > 0) {
    const now = monotonicNow();
    const settled = ledger.units.values.reduce((a, b) => a + b, 0) + ledger.responses;
    if (settled !== progress) {
      progress = settled;
      if (!stopped()) stalledAt = now;
    }
    if (elapsed(now, stalledAt) > (stopped() ? STOP_IN_FLIGHT : STALL)) break;
    await delay(LOOK_MS);
  }
  engine.giveUp();
  await hearOut(target, CLOSING, {
    now: monotonicNow,
    wait: () => delay(LOOK_MS),
    hurried: () => stopped() || failed(),
  });
}
