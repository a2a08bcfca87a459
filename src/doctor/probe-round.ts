/** Sends probes through the way that copies take, and waits for what becomes of them. */
import type { IoBackend } from '../config/copy-options.ts';
import { WideWatch } from '../capture/wide-watch.ts';
import { createSink } from '../inject/open-sink.ts';
import type { PacketSink, SendFailure } from '../inject/packet-sink.ts';
import { monotonicNow } from '../clock/clock.ts';
import type { Segment } from '../wire/segment.ts';
import type { Probe } from './probe.ts';

/** When a SYN that is not answered is sent again, ms after the first; a round's end. */
const AGAIN_MS = [250, 700];
const ROUND_MS = 1_400;
/** After the last answer, for what else shows up: forwarded answers, resets, ICMP. */
const SETTLE_MS = 150;
const STEP_MS = 20;

export class ProbeRounds {
  readonly probes: Probe[] = [];
  readonly #sink: PacketSink;
  readonly #watch: WideWatch;
  /** What the packets now in the batch belong to, in order. */
  #sending: { readonly probe: Probe; readonly offset: number }[] = [];

  /** `ports`: ranges that are leased to us. */
  constructor(backend: IoBackend, ports: readonly { readonly portFirst: number; readonly portLast: number }[]) {
    this.#sink = createSink({ backend, clock: monotonicNow }).sink;
    this.#watch = new WideWatch({
      backend,
      endpoints: ports,
      seen: (sighting) => {
        for (const probe of this.probes) probe.see('online', sighting);
      },
    });
  }

  /** Throws E_PERMISSION and the like. */
  async open(): Promise<void> {
    await this.#watch.open();
    await this.#sink.open({ writable: () => undefined, failed: (failure) => this.#failed(failure) });
  }

  response(segment: Segment): void {
    for (const probe of this.probes) if (probe.handle(segment)) return;
  }

  /** Resolves when all of them are answered or their time is over. `pump` takes what has arrived. */
  async run(probes: readonly Probe[], pump: () => void): Promise<void> {
    this.probes.push(...probes);
    for (const probe of probes) this.#send(probe, () => probe.writeSyn(this.#sink.batch));
    const begun = performance.now();
    let again = 0;
    let settledAt: number | undefined;
    for (;;) {
      await delay(STEP_MS);
      pump();
      for (const probe of probes) this.#send(probe, () => probe.writeFollowUp(this.#sink.batch));
      const passed = performance.now() - begun;
      const open = probes.filter((probe) => !isOver(probe));
      if (open.length === 0) settledAt ??= passed;
      if (settledAt !== undefined && passed - settledAt >= SETTLE_MS) break;
      if (passed >= ROUND_MS) break;
      if (again < AGAIN_MS.length && passed >= AGAIN_MS[again]!) {
        again++;
        for (const probe of open) this.#send(probe, () => probe.writeSyn(this.#sink.batch));
      }
    }
    for (const probe of probes) this.#send(probe, () => probe.writeReset(this.#sink.batch), true);
  }

  async close(): Promise<void> {
    await this.#sink.close();
    this.#watch.close();
  }

  #send(probe: Probe, write: () => unknown, quietly = false): void {
    const offset = this.#sink.batch.used;
    write();
    if (this.#sink.batch.used === offset) return;
    this.#sending = quietly ? [] : [{ probe, offset }];
    this.#sink.flush();
  }

  #failed({ offset, code }: SendFailure): void {
    for (const sent of this.#sending) if (sent.offset === offset) sent.probe.failed(code);
  }
}

/** Nothing more is to come for it: the assistant's are seen by the intercept's watch, whose word comes at the end. */
function isOver(probe: Probe): boolean {
  return probe.answered || probe.sendError !== undefined || probe.route.kind === 'assistant';
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
