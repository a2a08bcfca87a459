/** CPU time and memory of a process, from /proc. */
import { readFileSync } from 'node:fs';

export interface Usage {
  /** User and system time of all its threads, µs. */
  readonly cpu: number;
  /** Resident memory now and at its peak, bytes. */
  readonly rss: number;
  readonly peakRss: number;
}

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICK = 10_000;

export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) * TICK,
    rss: kilobytes('VmRSS') * 1024,
    peakRss: kilobytes('VmHWM') * 1024,
  };
}
