/** What plugins may say: checked when it is said, so that the plugin is there to be named. */
import { micros, millis, type Duration } from '../core/time.ts';
import { PluginMistake } from './error-policy.ts';
import type { CopyChange, PerCopy } from './hooks.ts';
import { describe } from './plugin.ts';
import type { Tap } from './tap.ts';

const MOST_COPIES = 1023;
const LONGEST_DELAY_MS = 3_600_000;

/** How copies of a message differ, and who says so. */
export interface CopyRule {
  readonly tap: Tap;
  readonly change: PerCopy;
}

/** What a plugin has said of one copy, found sound. */
export interface CheckedCopyChange {
  readonly bytes: Uint8Array | undefined;
  readonly delay: Duration;
}

export function checkCopies(n: unknown): number {
  if (Number.isInteger(n) && (n as number) >= 1 && (n as number) <= MOST_COPIES) return n as number;
  throw new PluginMistake(`a number of copies is a whole number from 1 to ${MOST_COPIES}`);
}

export function checkDelay(ms: unknown): Duration {
  if (typeof ms === 'number' && ms >= 0 && ms <= LONGEST_DELAY_MS) return millis(ms);
  throw new PluginMistake(`a delay is a number of milliseconds from 0 to ${LONGEST_DELAY_MS}`);
}

export function checkBytes(bytes: unknown): Uint8Array {
  if (bytes instanceof Uint8Array && bytes.length > 0) return bytes;
  throw new PluginMistake('a replacement is a Uint8Array of at least one byte; to send nothing, drop the message');
}

/** What a plugin says of one copy. */
export function checkCopyChange(change: unknown): CheckedCopyChange | undefined {
  if (change === undefined) return undefined;
  if (typeof change !== 'object' || change === null) {
    throw new PluginMistake(`it gave ${describe(change)} for a copy; that takes { bytes, delay }, or nothing`);
  }
  const { bytes, delay } = change as CopyChange;
  return {
    bytes: bytes === undefined ? undefined : checkBytes(bytes),
    delay: delay === undefined ? micros(0) : checkDelay(delay),
  };
}
