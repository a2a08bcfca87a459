/** How this process gives way to others on its host. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { loadNative } from './load.ts';

/**
 * A nice value, 0 to 19: a smaller share where processors are scarce; `polite`: the share stays, and others need not wait until
 * it has been used; `idle`: what is left over by everything else; `none`: as it was started.
 */
export type Nice = number | 'polite' | 'idle' | 'none';

/** Without SCHED_IDLE: the next best. */
const NICEST = 19;

/**
 * For all threads, and for processes started from here on. Throws where this process may not: only root may take back what
 * it has given away.
 */
export function giveWay(nice: Nice): void {
  if (nice === 'none') return;
  const { addon } = loadNative();
  for (const thread of threads()) {
    if (nice === 'idle' && addon !== undefined) addon.runWhenIdle(thread);
    else if (nice !== 'polite') setPriority(thread, nice === 'idle' ? NICEST : nice);
    addon?.letOthersFirst(thread);
  }
  if (nice !== 'polite') giveWayAsSession(nice === 'idle' ? NICEST : nice);
}

/**
 * Where the scheduler takes each session for one (autogroup, sched(7)) what a thread asks for counts inside it only, and the
 * session's own nice value against others. It is set where the session is of this program alone.
 */
function giveWayAsSession(nice: number): void {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const session = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3];
    if (Number(session) === process.pid) writeFileSync('/proc/self/autogroup', String(nice));
  } catch {
    // No such thing in this kernel, or switched off; or a group of systemd's counts.
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
