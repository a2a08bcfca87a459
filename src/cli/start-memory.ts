/**
 * Gives back what was only needed to start: pages of node's program file, and what the compiler had allocated. That is 30 MB,
 * some of which comes back within seconds, since work needs it.
 */
import { loadNative } from '../native/load.ts';

/** Once the work has begun, and again when the code that is run most has been compiled, under much load and under little. */
const AFTER_MS = [500, 3_000, 10_000];

/** To be called when everything is loaded. Without the addon nothing is given back. */
export function giveBackStartMemory(): void {
  const { addon } = loadNative();
  for (const ms of AFTER_MS) setTimeout(() => addon?.trimMemory?.(), ms).unref();
}
