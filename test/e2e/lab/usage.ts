/** CPU time and memory of a process, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  /** User and system time of all its threads, µs. */
  readonly cpu: number;
  /** Resident memory now and at its peak, bytes. */
  readonly rss: number;
  readonly peakRss: number;
}

/** The scheduler's own account, in nanoseconds; `stat` counts in ticks of 10 ms. Threads that have ended are left out. */
function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce(
    (sum, t) => sum + Number(readFileSync(`/proc/${pid}/task/${t}/schedstat`, 'utf8').split(' ')[0]),
    0,
  );
}

export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    cpu: cpuOf(pid) / 1_000,
    rss: kilobytes('VmRSS') * 1024,
    peakRss: kilobytes('VmHWM') * 1024,
  };
}
