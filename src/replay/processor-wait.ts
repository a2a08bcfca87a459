/** How long this process could have run and had to wait for a processor: then what is late is late for this host's sake. */
import { readFileSync } from 'node:fs';
import { micros, type Duration } from '../core/time.ts';

/**
 * Of /proc/self/schedstat (Linux, Documentation/scheduler/sched-stats): `on-CPU waited slices`, the times in nanoseconds, of
 * the main thread since it began. `undefined`: the kernel does not tell.
 */
export function processorWait(read: () => string = readSchedstat): Duration | undefined {
  let text: string;
  try {
    text = read();
  } catch {
    return undefined;
  }
  const waited = /^\d+ (\d+) /.exec(text)?.[1];
  return waited === undefined ? undefined : micros(Number(waited) / 1_000);
}

function readSchedstat(): string {
  return readFileSync('/proc/self/schedstat', 'latin1');
}
