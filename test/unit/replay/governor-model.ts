/** A governor at work: what it is told where all is quiet, and a target that serves requests as fast as it can. */
import { micros } from '../../../src/core/time.ts';
import { Governor } from '../../../src/replay/governor.ts';
import { STEP, type GovernorLimits, type Readings } from '../../../src/replay/governor-rules.ts';

export const LIMITS: GovernorLimits = { cpu: undefined, hostCpu: undefined, memory: 512e6, queued: 64e6, target: true };

export const QUIET: Readings = {
  cpu: 0.1,
  hostCpu: 0.2,
  frames: 0,
  kernelDrops: 0,
  memory: 10e6,
  queued: 0,
  behind: 0,
  shutOut: 0,
  busy: 0,
  ready: true,
  sent: 0,
  late: micros(0),
  answered: 0,
  age: micros(0),
  packets: 0,
  unsent: 0,
  failed: 0,
  errors: 0,
};

/** Connections of one request each, so many a second, to a target that serves them in order, if it does. */
export class Model {
  readonly governor: Governor;
  readonly waiting: number[] = [];
  /** Requests that the target serves a second. */
  capacity = Infinity;
  /** What becomes of those it serves. */
  outcome: 'answered' | 'refused' | 'error' = 'answered';
  most = 0;
  admitted = 0;
  shed = 0;
  step = 0;
  #place = 0;
  readonly #rate: number;
  /** What copying all of it costs, of one processor, and what others on the host do. */
  readonly #cost: number;
  others = 0;

  constructor(rate: number, limits: Partial<GovernorLimits> = {}, cost = 0.2) {
    this.governor = new Governor({ ...LIMITS, ...limits });
    this.#rate = rate;
    this.#cost = cost;
  }

  run(seconds: number, look: () => void = () => undefined): this {
    for (let i = 0; i < seconds * 10; i++) {
      this.#second();
      look();
    }
    return this;
  }

  /** Steps until everything is copied again; at most `seconds`. */
  recovery(seconds: number): number {
    for (let i = 0; i < seconds * 10; i++) {
      if (this.governor.share === 1) return i / 10;
      this.#second();
    }
    return Infinity;
  }

  #second(): void {
    const now = ++this.step;
    let sent = 0;
    for (let i = 0; i < this.#rate / 10; i++) {
      this.#place = (this.#place + 0.618_033_988_749_894_9) % 1;
      if (!this.governor.admits(this.#place)) {
        this.shed++;
        continue;
      }
      sent++;
      this.waiting.push(now);
    }
    this.admitted += sent;
    const served = this.waiting.splice(0, Math.round(this.capacity / 10));
    const patience = this.governor.targetIsSilent ? 100 : 300;
    while (this.waiting.length > 0 && now - this.waiting[0]! > patience) this.waiting.shift();
    this.most = Math.max(this.most, this.waiting.length);
    const cpu = (this.#cost * sent) / (this.#rate / 10);
    this.governor.step({
      ...QUIET,
      cpu,
      hostCpu: Math.min(1, this.others + cpu / 2),
      behind: this.waiting.length,
      sent,
      answered: this.outcome === 'refused' ? 0 : served.length,
      age: micros(served.reduce((n, at) => n + (now - at) * STEP, 0)),
      failed: this.outcome === 'refused' ? served.length : 0,
      errors: this.outcome === 'error' ? served.length : 0,
    });
  }
}
