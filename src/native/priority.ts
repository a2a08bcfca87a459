/** How this process gives way to others on its host. */
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { loadNative } from './load.ts';

/** A nice value, 0 to 19, or what is left over by everything else. */
export type Nice = number | 'idle';

/** Without SCHED_IDLE: the next best. */
const NICEST = 19;

/**
 * For all threads, and for processes started from here on. Throws where this process may not: only root may take back what
 * it has given away.
 */
export function giveWay(nice: Nice): void {
  const { addon } = loadNative();
  for (const thread of threads()) {
    if (nice === 'idle' && addon !== undefined) addon.runWhenIdle(thread);
    else setPriority(thread, nice === 'idle' ? NICEST : nice);
  }
}

/** Linux knows a priority for each; elsewhere 0, this process, has one. */
function threads(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [0];
  }
}
