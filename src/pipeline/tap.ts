import type { OrderedTap } from './tap-order.ts';
import type { PluginRecord } from './plugin-record.ts';

export type TapFunction = (first: unknown, second?: unknown) => unknown;

/** One registration of a plugin on a hook. */
export interface Tap extends OrderedTap {
  readonly plugin: PluginRecord;
  /** The hook, as it is written: `request`, `http.request`. */
  readonly hook: string;
  /** Whether it is a protocol's hook: then the function is given the message, and the context second. */
  readonly ofProtocol: boolean;
  readonly mode: 'sync' | 'promise';
  /** Of a promise, in milliseconds. */
  readonly deadline: number | undefined;
  /** Nothing is fetched for its sake. */
  readonly passive: boolean;
  readonly fn: TapFunction;
  /** How often it was called. */
  calls: number;
  readonly timing: Timing;
}

/** Microseconds of the calls that were timed. */
export interface Timing {
  samples: number;
  sum: number;
  max: number;
}

/** Which tap is running: the host sets it around each call, contexts read it. */
export interface Running {
  tap: Tap | undefined;
}
