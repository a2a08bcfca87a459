/** What this process and this host spend, read when asked: the difference to the time before. */
import { closeSync, openSync, readSync } from 'node:fs';
import { monotonicNow } from '../clock/clock.ts';
import { loadNative } from '../native/load.ts';

/** The first line of the file, with the sums over all processors, is much shorter. */
const LINE = 512;

/** What `usage` of the addon gives. */
const CPU = 0;
const MEMORY = 1;

export class HostSensor {
  readonly #addon = loadNative().addon;
  readonly #usage = new Float64Array(2);
  #at = monotonicNow();
  #cpu = 0;
  #stat: number | undefined;
  readonly #line = Buffer.alloc(LINE);
  #busy = 0;
  #all = 0;
  readonly #memoryAtStart: number;

  /** `watchesHost`: the host's processors are looked at, too (Linux). */
  constructor(watchesHost: boolean) {
    if (watchesHost) this.#stat = openProcStat();
    this.hostCpu();
    this.ownCpu();
    this.#memoryAtStart = this.#usage[MEMORY]!;
  }

  /** CPU time of this process since the last call, over the time since: 1 is one processor. Reads what `memory` gives, too. */
  ownCpu(): number {
    const now = monotonicNow();
    this.#read();
    const spent = this.#usage[CPU]! - this.#cpu;
    const passed = now - this.#at;
    this.#at = now;
    this.#cpu = this.#usage[CPU]!;
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

  /** Resident memory beyond that at the start, bytes, at the last call of `ownCpu`. */
  memory(): number {
    return this.#usage[MEMORY]! - this.#memoryAtStart;
  }

  close(): void {
    if (this.#stat !== undefined) closeSync(this.#stat);
    this.#stat = undefined;
  }

  #read(): void {
    if (this.#addon !== undefined) {
      this.#addon.usage(this.#usage);
      return;
    }
    const { user, system } = process.cpuUsage();
    this.#usage[CPU] = user + system;
    this.#usage[MEMORY] = process.memoryUsage.rss();
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
