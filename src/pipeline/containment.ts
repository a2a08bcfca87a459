/**
 * What happens when a plugin fails: it is named, counted, logged once per kind, and the policy says what becomes of the
 * message. The text of a plugin's own error may quote traffic (a JSON parser's does), so it goes nowhere: its class and
 * the lines it came through, which the debug log has, are enough to find it.
 */
import { TcpcopyError } from '../core/errors.ts';
import { SILENT_LOG, type Log } from '../core/log.ts';
import { toMillis, type Duration } from '../core/time.ts';
import { PluginMistake, type Consequence, type ErrorPolicy, type FailureKind } from './error-policy.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { Tap } from './tap.ts';

/** Kinds of lines that are told: reasons are constant words, and one who makes them up does not fill the memory. */
const MOST_LINES = 1_000;

/** Who failed, and at what. */
export type Culprit = Pick<Tap, 'plugin' | 'hook' | 'name'>;

export interface ContainmentSettings {
  readonly policy?: ErrorPolicy | undefined;
  readonly log?: Log | undefined;
  /** Called once, with what the run ends with, under the policy `abort`. */
  readonly onAbort?: ((error: TcpcopyError) => void) | undefined;
}

export class Containment {
  readonly #policy: ErrorPolicy;
  readonly #log: Log;
  readonly #onAbort: ((error: TcpcopyError) => void) | undefined;
  readonly #logged = new Set<string>();
  #aborted = false;

  constructor({ policy = { kind: 'pass' }, log = SILENT_LOG, onAbort }: ContainmentSettings) {
    this.#policy = policy;
    this.#log = log;
    this.#onAbort = onAbort;
  }

  /** Says what becomes of the matter. */
  failed(tap: Culprit, kind: FailureKind, error: unknown): Consequence {
    const { plugin } = tap;
    plugin.failures[kind]++;
    this.#logOnce(tap, kind, error);
    switch (this.#policy.kind) {
      case 'drop':
      case 'drop-connection':
        return this.#policy.kind;
      case 'abort':
        this.#abort(tap, kind, error);
        return 'drop';
      case 'disable-after':
        if (plugin.failureCount >= this.#policy.failures && !plugin.disabled) this.#disable(tap);
        break;
      case 'pass':
    }
    return plugin.failClosed ? 'drop' : 'pass';
  }

  /** What a plugin gave up, and why, in its own constant words. */
  tellOnce(plugin: PluginRecord, what: string): void {
    const line = `plugin ${plugin.name}: ${what}`;
    if (this.#logged.size < MOST_LINES && this.#isNew(line))
      this.#log.error(`${line}; further ones like it are only counted`);
  }

  /** A tap did not return for so long, in microseconds: nothing else went on meanwhile. */
  heldUp(tap: Culprit, time: Duration): void {
    tap.plugin.countHeldUp(time);
    if (!this.#isNew(`${tap.hook} ${tap.name} held up`)) return;
    const took = Math.round(toMillis(time));
    this.#log.warn(
      `plugin ${tap.plugin.name} held everything up for ${took} ms on ${tap.hook}; further times are only counted`,
    );
  }

  #isNew(key: string): boolean {
    if (this.#logged.has(key)) return false;
    this.#logged.add(key);
    return true;
  }

  #logOnce(tap: Culprit, kind: FailureKind, error: unknown): void {
    if (!this.#isNew(`${tap.hook} ${tap.name} ${kind}`)) return;
    this.#log.error(`${whatHappened(tap, kind, error)}; further ones like it are only counted`);
    if (error instanceof Error && !(error instanceof PluginMistake)) {
      this.#log.debug(`plugin ${tap.plugin.name}: ${framesOf(error).trim()}`);
    }
  }

  #disable(tap: Culprit): void {
    tap.plugin.disabled = true;
    const consequence = tap.plugin.failClosed
      ? 'what it should have looked at is dropped'
      : 'it is not called any more';
    this.#log.error(`plugin ${tap.plugin.name} has failed ${tap.plugin.failureCount} times: ${consequence}`);
  }

  #abort(tap: Culprit, kind: FailureKind, error: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#onAbort?.(
      new TcpcopyError('E_PLUGIN_FAILED', whatHappened(tap, kind, error), {
        hint: 'mend the plugin, or choose another --on-plugin-error',
        cause: error,
      }),
    );
  }
}

function whatHappened(tap: Culprit, kind: FailureKind, error: unknown): string {
  const who = `plugin ${tap.plugin.name} failed on ${tap.hook}`;
  if (kind === 'timed-out') return `${who}: no answer in time`;
  return `${who}: ${kind === 'nonsense' && !(error instanceof Error) ? String(error) : describeError(error)}`;
}

/** Class and place of an error, and its text only where the host wrote it. */
function describeError(error: unknown): string {
  if (error instanceof PluginMistake) return error.message;
  if (!(error instanceof Error)) return 'it threw something that is no error';
  const name = /^[A-Za-z]{1,40}$/.test(error.name) ? error.name : 'Error';
  const place = placeOf(error);
  return place === undefined ? name : `${name} at ${place}`;
}

/** `file:line:column` of the topmost frame of the stack, which follows the message in `stack`. */
function placeOf(error: Error): string | undefined {
  const frame = /^\s+at (?:.*\()?((?:file:\/\/)?\/[^()\n]*:\d+:\d+)\)?$/m.exec(framesOf(error));
  return frame?.[1]!.replace(/^file:\/\//, '');
}

/** The stack of an error without its text; empty where the two cannot be told apart. */
export function framesOf({ stack = '', message }: Error): string {
  const at = stack.indexOf(message);
  return at < 0 ? '' : stack.slice(at + message.length);
}
