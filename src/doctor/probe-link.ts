/**
 * The doctor's place at one intercept: a control connection with a lease of its own, as a copy would have it, and the
 * intercept's word on what it sees. Unlike a copy's link it tries once.
 */
import type { CopyOptions, InterceptAddress } from '../config/copy-options.ts';
import type { ClientRange, ControlMessage, TargetRange, Welcome } from '../control/messages.ts';
import type { ProbeReport } from '../control/probe.ts';
import {
  BLOCK_PORTS,
  CAPABILITY_PROBE,
  LEASE_GRANT,
  LEASE_REQUEST,
  PROBE,
  PROBE_REPORT,
  TARGETS,
} from '../control/protocol.ts';
import type { TcpcopyError } from '../core/errors.ts';
import { millis } from '../core/time.ts';
import type { InterceptEvidence } from '../diagnosis/evidence.ts';
import { interceptEvidence } from '../diagnosis/sighting-kind.ts';
import { HEARTBEAT_INTERVAL, InterceptConnection } from '../replay/intercept-connection.ts';
import { monotonicNow } from '../clock/clock.ts';
import type { Segment } from '../wire/segment.ts';

/** A firewall that drops says nothing: no longer than this. */
const CONNECT_MS = 1_500;
const WATCH_MS = 9_000;
/** For the last report. */
const REPORT_MS = 1_000;

export interface ProbeLinkSetup {
  readonly options: Pick<CopyOptions, 'controlKey' | 'controlTls'>;
  readonly instanceId: Uint8Array;
  readonly version: string;
  readonly targets: readonly TargetRange[];
  readonly clients: readonly ClientRange[];
  readonly response: (segment: Segment) => void;
}

export class ProbeLink {
  readonly address: InterceptAddress;
  /** First ports of the leased blocks. */
  blocks: readonly number[] = [];
  #problem: { readonly code: string; readonly message: string } | undefined;
  #version = '';
  #report: ProbeReport | undefined;
  #watchProblem = '';
  readonly #setup: ProbeLinkSetup;
  readonly #connection: InterceptConnection;
  readonly #segment: Segment;
  #step: (() => void) | undefined;
  #granted = false;

  constructor(address: InterceptAddress, setup: ProbeLinkSetup, segment: Segment) {
    this.address = address;
    this.#setup = setup;
    this.#segment = segment;
    this.#connection = new InterceptConnection(
      0,
      {
        ...address,
        connections: 1,
        key: setup.options.controlKey,
        tls: setup.options.controlTls,
        instanceId: setup.instanceId,
        software: setup.version,
        now: monotonicNow,
        heartbeatInterval: HEARTBEAT_INTERVAL,
        heartbeatTimeout: millis(CONNECT_MS),
      },
      {
        welcomed: (_, welcome) => this.#welcomed(welcome),
        received: (_, message) => this.#received(message),
        responsesReady: () => this.takeResponses(),
        lost: (_, error) => this.#lost(error),
      },
    );
  }

  /** Connects and leases; afterwards `evidence` tells whether that went well. */
  async connect(): Promise<void> {
    const settled = this.#next();
    this.#connection.start();
    await settled;
  }

  get usable(): boolean {
    return this.#problem === undefined && this.#granted;
  }

  /** Resolves when the intercept watches, or has said why not. */
  async watch(): Promise<void> {
    if (!this.usable || this.#watchProblem !== '') return;
    const begun = this.#next(REPORT_MS);
    this.#connection.send({ type: PROBE, token: 1, duration: WATCH_MS });
    await begun;
    if (this.#report === undefined) this.#watchProblem = 'it did not answer a probe';
  }

  get report(): ProbeReport | undefined {
    return this.#report;
  }

  /** Has the intercept tell what it saw. */
  async finish(): Promise<void> {
    if (this.usable && this.#report?.open === true) {
      const told = this.#next(REPORT_MS);
      this.#connection.send({ type: PROBE, token: 1, duration: 0 });
      await told;
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  takeResponses(): void {
    while (this.#connection.nextResponse(this.#segment)) this.#setup.response(this.#segment);
  }

  evidence(): InterceptEvidence {
    const [problem, version, watchProblem] = [this.#problem, this.#version, this.#watchProblem];
    return interceptEvidence(this.address, this.#report, { problem, version, watchProblem });
  }

  #welcomed({ version, capabilities, software }: Welcome): void {
    this.#version = software;
    if (version < 2 || (capabilities & CAPABILITY_PROBE) === 0) {
      this.#watchProblem = `release ${software} does not know probes; install the same release on both hosts`;
    }
    const { targets, clients } = this.#setup;
    this.#connection.send({ type: TARGETS, targets, clients });
    this.#connection.send({ type: LEASE_REQUEST, blocks: 1 });
  }

  #received(message: ControlMessage): void {
    if (message.type === LEASE_GRANT && !this.#granted) {
      this.blocks = message.blocks.map((block) => block * BLOCK_PORTS);
      this.#granted = message.blocks.length > 0;
      if (!this.#granted) {
        this.#problem = { code: 'E_LEASE', message: `${message.free} of its blocks of 1,024 ports are free` };
      }
      this.#settle();
    } else if (message.type === PROBE_REPORT) {
      this.#report = message;
      this.#settle();
    }
  }

  #lost(error: TcpcopyError): void {
    this.#problem ??= { code: error.code, message: error.message };
    void this.#connection.close();
    this.#settle();
  }

  /** Resolves at the next thing waited for, or when `limit` ms have passed. */
  #next(limit?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = limit === undefined ? undefined : setTimeout(() => this.#settle(), limit);
      this.#step = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #settle(): void {
    const step = this.#step;
    this.#step = undefined;
    step?.();
  }
}
