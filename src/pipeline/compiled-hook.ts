/**
 * One hook with its taps in order, as a tapable hook. Its taps are the host's wrappers, which never throw, so that what
 * tapable does on an error (stop, and name nobody) never happens. A wrapper that returns `true` ends the hook.
 */
import { AsyncSeriesBailHook, SyncBailHook } from 'tapable';
import type { ConnectionRecord } from './connection-record.ts';
import type { Context } from './context.ts';
import type { Tap } from './tap.ts';
import type { TapRunner } from './tap-runner.ts';

type Stop = true | undefined;
type Call = [context: Context, record: ConnectionRecord | undefined];

export class CompiledHook {
  /** In the order they run. */
  readonly taps: readonly Tap[];
  /** Whether a call may end later than it returns. */
  readonly async: boolean;
  readonly #sync = new SyncBailHook<Call, Stop>(['context', 'record']);
  readonly #series = new AsyncSeriesBailHook<Call, Stop>(['context', 'record']);

  /** `taps`: ordered. */
  constructor(taps: readonly Tap[], runner: TapRunner) {
    this.taps = taps;
    this.async = taps.some(({ mode }) => mode === 'promise');
    for (const tap of taps) {
      const call = (context: Context): Stop => (runner.call(tap, context) ? true : undefined);
      if (!this.async) this.#sync.tap(tap.name, call);
      else if (tap.mode === 'sync') this.#series.tap(tap.name, call);
      else {
        this.#series.tapAsync(tap.name, (context, record, done) =>
          runner.callPromise(tap, context, record, (stop) => done(null, stop ? true : undefined)),
        );
      }
    }
  }

  /** Runs the taps, none of which may be asynchronous. */
  call(context: Context): void {
    this.#sync.call(context, undefined);
    context.close();
  }

  /** Runs the taps. Returns a promise when one of them takes its time, nothing when all is done. */
  run(context: Context, record?: ConnectionRecord): Promise<void> | undefined {
    if (!this.async) {
      this.call(context);
      return undefined;
    }
    let over = false;
    let wake: (() => void) | undefined;
    this.#series.callAsync(context, record, () => {
      over = true;
      context.close();
      wake?.();
    });
    return over ? undefined : new Promise((resolve) => (wake = resolve));
  }
}
