/** What the host knows of one plugin: its declarations, and its figures for the summary. */
import type { FailureKind } from './error-policy.ts';
import type { Plugin } from './plugin.ts';
import type { Tap } from './tap.ts';

/** Reasons are meant to be constant words. A plugin that makes them up as it goes does not fill the memory. */
const MOST_REASONS = 64;
const OTHER_REASONS = '(other reasons)';

export interface PluginReport {
  readonly name: string;
  /** How often it was called about traffic, over all its taps. */
  readonly calls: number;
  /** What it dropped, by reason. */
  readonly drops: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<FailureKind, number>>;
  /** Not called any more, because it kept failing. */
  readonly disabled: boolean;
  /** In its synchronous taps; `undefined`: none was called. */
  readonly time: SampledTime | undefined;
  /** Until its promises settled, likewise. */
  readonly waiting: SampledTime | undefined;
  /** How often it was seen to hold everything up, and the longest time, in microseconds. */
  readonly heldUp: HeldUp;
  readonly figures: readonly Figure[];
}

/** Microseconds, from a sample of the calls. */
export interface SampledTime {
  readonly samples: number;
  readonly max: number;
  /** Of all calls, estimated. */
  readonly mean: number;
  readonly total: number;
}

export interface HeldUp {
  readonly times: number;
  readonly longest: number;
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string | undefined;
}

export class PluginRecord {
  readonly name: string;
  readonly plugin: Plugin;
  /** Position of its state among a connection's states. */
  readonly index: number;
  readonly failClosed: boolean;
  /** The file or folder of a plugin that is no built-in. */
  readonly source: string | undefined;
  readonly taps: Tap[] = [];
  disabled = false;
  heldUp: HeldUp = { times: 0, longest: 0 };
  readonly failures: Record<FailureKind, number> = { threw: 0, nonsense: 0, 'timed-out': 0 };
  readonly #drops = new Map<string, number>();

  constructor(plugin: Plugin, index: number, source?: string) {
    this.name = plugin.name;
    this.plugin = plugin;
    this.index = index;
    this.failClosed = plugin.failClosed ?? false;
    this.source = source;
  }

  get failureCount(): number {
    return this.failures.threw + this.failures.nonsense + this.failures['timed-out'];
  }

  countDrop(reason: string): void {
    const key = this.#drops.has(reason) || this.#drops.size < MOST_REASONS ? reason : OTHER_REASONS;
    this.#drops.set(key, (this.#drops.get(key) ?? 0) + 1);
  }

  countHeldUp(time: number): void {
    const { times, longest } = this.heldUp;
    this.heldUp = { times: times + 1, longest: Math.max(longest, time) };
  }

  report(figures: readonly Figure[]): PluginReport {
    const taps = this.taps.filter(({ hook }) => hook !== 'stats' && hook !== 'shutdown');
    return {
      name: this.name,
      calls: taps.reduce((n, { calls }) => n + calls, 0),
      drops: Object.fromEntries(this.#drops),
      failures: { ...this.failures },
      disabled: this.disabled,
      time: timeIn(taps.filter(({ mode }) => mode === 'sync')),
      waiting: timeIn(taps.filter(({ mode }) => mode === 'promise')),
      heldUp: this.heldUp,
      figures,
    };
  }
}

/** Taps differ in how often they are called, so each one's mean is weighed with its calls. */
function timeIn(taps: readonly Tap[]): SampledTime | undefined {
  const called = taps.filter(({ timing }) => timing.samples > 0);
  if (called.length === 0) return undefined;
  const sum = (of: (tap: Tap) => number) => called.reduce((n, tap) => n + of(tap), 0);
  const total = sum(({ timing, calls }) => (timing.sum / timing.samples) * calls);
  return {
    samples: sum(({ timing }) => timing.samples),
    max: Math.max(...called.map(({ timing }) => timing.max)),
    mean: total / sum(({ calls }) => calls),
    total,
  };
}
