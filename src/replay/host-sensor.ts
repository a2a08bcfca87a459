/** What this process and this host spend, read when asked: the difference to the time before. */
import { closeSync, openSync, readSync } from 'node:fs';
import { monotonicNow } from '../clock/clock.ts';

/** The first line of the file, with the sums over all processors, is much shorter. */
const LINE = 512;

export class HostSensor {
  #at = monotonicNow();
  #cpu = process.cpuUsage();
  #stat: number | undefined;
  readonly #line = Buffer.alloc(LINE);
  #busy = 0;
  #all = 0;
  readonly #memoryAtStart = process.memoryUsage.rss();

  /** `watchesHost`: the host's processors are looked at, too (Linux). */
  constructor(watchesHost: boolean) {
    if (watchesHost) this.#stat = openProcStat();
    this.hostCpu();
  }

  /** CPU time of this process since the last call, over the time since: 1 is one processor. */
  ownCpu(): number {
    const now = monotonicNow();
    const used = process.cpuUsage();
    const spent = used.user + used.system - this.#cpu.user - this.#cpu.system;
    const passed = now - this.#at;
    this.#at = now;
    this.#cpu = used;
    return passed > 0 ? spent / passed : 0;
  }

  /** Share of the host's processors that was busy since the last call, with whatever; `undefined`: cannot be told. */
  hostCpu(): number | undefined {
    if (this.#stat === undefined) return undefined;
    const length = readSync(this.#stat, this.#line, 0, LINE, 0);
    const times = busyAndAll(this.#line.toString('latin1', 0, length));
    const [busy, all] = [times.busy - this.#busy, times.all - this.#all];
    this.#busy = times.busy;
    this.#all = times.all;
    return all > 0 ? busy / all : undefined;
  }

  /** Resident memory beyond that at the start, bytes. */
  memory(): number {
    return process.memoryUsage.rss() - this.#memoryAtStart;
  }

  close(): void {
    if (this.#stat !== undefined) closeSync(this.#stat);
    this.#stat = undefined;
  }
}

/**
 * Of the first line of /proc/stat (proc(5)): `cpu  user nice system idle iowait irq softirq steal …`, in ticks. Time that a
 * hypervisor gave to others counts as busy; guests are in `user` already.
 */
export function busyAndAll(stat: string): { readonly busy: number; readonly all: number } {
  const [line = ''] = stat.split('\n', 1);
  const times = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const all = times.reduce((a, b) => a + b, 0);
  return { busy: all - (times[3] ?? 0) - (times[4] ?? 0), all };
}

function openProcStat(): number | undefined {
  try {
    return openSync('/proc/stat', 'r');
  } catch {
    return undefined;
  }
}
