/**
 * Notices that nothing at all is answered, has the intercepts look at what becomes of our sessions, and says the likely
 * cause in one line: once, until something has been answered.
 */
import { hostDevices } from '../capture/host-devices.ts';
import type { CopyOptions, InterceptAddress } from '../config/copy-options.ts';
import type { ProbeReport } from '../control/probe.ts';
import { formatIp } from '../core/ip-address.ts';
import type { Log } from '../core/log.ts';
import { elapsed, seconds, toSeconds, type Instant } from '../core/time.ts';
import type { Evidence, ProbeEvidence, Seen } from '../diagnosis/evidence.ts';
import { planOf } from '../diagnosis/plan-of.ts';
import { addSeen, interceptEvidence, seenKind, type SessionPath } from '../diagnosis/sighting-kind.ts';
import { silenceLine } from '../diagnosis/silence-line.ts';

const PATIENCE = seconds(5);
/** Sessions send their SYN again after one second, then two. */
const WATCH_MS = 2_000;
const SAMPLE = 128;

export interface SilenceParts {
  readonly options: CopyOptions;
  readonly log: Log;
  readonly target: {
    /** Sessions opened; segments that answered one; those of them that were resets. */
    readonly opened: number;
    readonly responses: number;
    readonly resets: number;
    /** Some of the open sessions. */
    paths(most: number): SessionPath[];
  };
  /** Packets that the kernel refused, by errno. */
  readonly refusedPackets: () => Readonly<Record<string, number>>;
  readonly intercepts: readonly {
    readonly address: InterceptAddress;
    probe(duration: number): Promise<ProbeReport | undefined>;
  }[];
}

export class SilenceWatch {
  readonly #parts: SilenceParts;
  #answers = 0;
  #opened = 0;
  #since: Instant | undefined;
  #told = false;

  constructor(parts: SilenceParts) {
    this.#parts = parts;
  }

  /** To be called often; costs nothing while there are answers. */
  tick(now: Instant): void {
    const { opened, responses, resets } = this.#parts.target;
    const answers = responses - resets;
    if (answers !== this.#answers || this.#since === undefined) {
      this.#answers = answers;
      this.#opened = opened;
      this.#since = now;
      this.#told = false;
      return;
    }
    if (opened === this.#opened) {
      // Nobody has asked yet.
      this.#since = now;
      return;
    }
    if (this.#told || elapsed(now, this.#since) < PATIENCE) return;
    this.#told = true;
    void this.#look(opened - this.#opened);
  }

  async #look(opened: number): Promise<void> {
    const { log, target, intercepts } = this.#parts;
    const before = target.responses - target.resets;
    const paths = target.paths(SAMPLE);
    const reports = await Promise.all(intercepts.map((intercept) => intercept.probe(WATCH_MS)));
    // The first answer may have come just now.
    if (target.responses - target.resets !== before) return;
    log.warn(silenceLine(this.#evidence([...paths, ...target.paths(SAMPLE)], reports), toSeconds(PATIENCE), opened));
  }

  #evidence(paths: readonly SessionPath[], reports: readonly (ProbeReport | undefined)[]): Evidence {
    const { options, target, refusedPackets, intercepts } = this.#parts;
    const plan = planOf(options);
    const [errno] = Object.keys(refusedPackets());
    const reset = target.resets > 0;
    const probes = paths.map((path): ProbeEvidence => {
      const seen: Seen[] = [];
      reports.forEach((report, index) => {
        for (const sighting of report?.sightings ?? []) {
          const kind = seenKind(sighting, path);
          if (kind !== undefined) addSeen(seen, index, kind, sighting);
        }
      });
      return {
        kind: 'client',
        source: formatIp(path.source),
        sourcePort: path.sourcePort,
        target: formatIp(path.target),
        targetPort: path.targetPort,
        size: 0,
        sendError: errno,
        leftBy: errno === undefined ? '' : undefined,
        matched: reset ? 'rst' : undefined,
        mss: undefined,
        ack: 'not-sent',
        seen,
      };
    });
    return {
      plan,
      local: {
        permission: undefined,
        missingDevices: [],
        knownDevices: [],
        addresses: hostDevices().flatMap(({ addresses }) => addresses.map(({ address }) => formatIp(address))),
        sample: undefined,
        listening: undefined,
        loadAverage: 0,
        processors: 1,
        outputDrops: [],
      },
      intercepts: intercepts.map(({ address }, i) =>
        interceptEvidence(address, reports[i], {
          problem: undefined,
          version: '',
          watchProblem: reports[i] === undefined ? 'it does not answer probes' : '',
        }),
      ),
      targets: plan.targets.map((one) => ({ ...one, connect: '', route: undefined, neighbourFailed: false })),
      probes,
    };
  }
}
