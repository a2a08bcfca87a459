/** Feeds the governor with what the run measures, and tells of what it does. */
import { ringMemory } from '../capture/ring-source.ts';
import type { CopyOptions } from '../config/copy-options.ts';
import type { Log } from '../core/log.ts';
import { addTime, NEVER, seconds, type Instant } from '../core/time.ts';
import { SHED_TEXTS } from '../report/bucket-texts.ts';
import { plural } from '../report/format.ts';
import type { Ledger } from '../report/ledger.ts';
import type { GovernorFacts } from '../report/run-facts.ts';
import { isLive } from './copy-input.ts';
import type { Engine } from './engine.ts';
import { Governor } from './governor.ts';
import type { GovernorLimits } from './governor-rules.ts';
import { HostSensor } from './host-sensor.ts';
import type { Pace } from './hurry.ts';

/** Of the memory limit, what may wait for the target before connections are left out. */
const QUEUED = 1 / 8;
/** What the program itself takes in a long run beyond what it has at the start, bytes: code, and garbage not yet collected. */
const OWN_MEMORY = 96 << 20;
/** Trouble that is over for so long has ended; until then it is the same. */
const OVER = seconds(10);

/** What the governor looks at; `undefined` where nothing is left out: a recording waits, and has all the time. */
export function governorLimits(options: CopyOptions): GovernorLimits | undefined {
  if (!isLive(options) || options.dryRun || options.shed === 'never') return undefined;
  return {
    cpu: options.maxCpu,
    hostCpu: options.maxHostCpu,
    memory: options.memoryLimit + ringMemory(options.captureBuffer) + OWN_MEMORY,
    queued: options.memoryLimit * QUEUED,
    target: options.shed === 'all' && options.writeFile === undefined,
  };
}

export class Governing {
  readonly governor: Governor;
  readonly #ledger: Ledger;
  readonly #log: Log;
  readonly #sensor: HostSensor;
  #frames = 0;
  #drops = 0;
  #packets = 0;
  #unsent = 0;
  #failed = 0;
  #errors = 0;
  /** Units shed when the trouble began; `undefined`: there is none. */
  #shedBefore: number | undefined;
  #calmSince: Instant = NEVER;

  constructor(limits: GovernorLimits, ledger: Ledger, log: Log) {
    this.governor = new Governor(limits);
    this.#ledger = ledger;
    this.#log = log;
    this.#sensor = new HostSensor(limits.hostCpu !== undefined);
  }

  facts(): GovernorFacts {
    return this.governor.facts();
  }

  /** To be called every tenth of a second. */
  step(now: Instant, engine: Engine, pace: Pace): void {
    const { units, responsesFailed, framesSeen, kernelDropped } = this.#ledger;
    const { target, budget } = engine;
    const { packets, unsent } = target;
    const failed = units.get('refused') + units.get('reset');
    this.governor.step({
      cpu: this.#sensor.ownCpu(),
      hostCpu: this.#sensor.hostCpu(),
      frames: framesSeen - this.#frames,
      kernelDrops: kernelDropped - this.#drops,
      memory: this.#sensor.memory(),
      queued: budget.used + target.bufferedBytes,
      behind: engine.behindReplicas,
      shutOut: target.shutOut,
      busy: engine.busyReplicas,
      ready: target.ready,
      ...pace,
      packets: packets - this.#packets,
      unsent: unsent - this.#unsent,
      failed: failed - this.#failed,
      errors: responsesFailed - this.#errors,
    });
    this.#frames = framesSeen;
    this.#drops = kernelDropped;
    this.#packets = packets;
    this.#unsent = unsent;
    this.#failed = failed;
    this.#errors = responsesFailed;
    this.#tell(now);
  }

  close(): void {
    this.#sensor.close();
  }

  /** One line when trouble begins, one when it is over. */
  #tell(now: Instant): void {
    const { share, reason } = this.governor;
    const shed = this.#ledger.units.get('shed');
    if (share < 1) {
      this.#calmSince = NEVER;
      if (this.#shedBefore !== undefined || reason === undefined) return;
      this.#shedBefore = shed;
      this.#log.warn(`connections are left out and counted as shed: ${SHED_TEXTS[reason].meaning}`);
      return;
    }
    if (this.#shedBefore === undefined) return;
    if (this.#calmSince === NEVER) this.#calmSince = now;
    if (now < addTime(this.#calmSince, OVER)) return;
    this.#log.info(`all connections are copied again: ${plural(shed - this.#shedBefore, 'request')} were left out`);
    this.#shedBefore = undefined;
  }
}
