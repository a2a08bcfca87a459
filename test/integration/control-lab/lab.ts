/** An intercept over memory, links to it over loopback, and packets to put in. */
import { randomBytes } from 'node:crypto';
import { MemorySource } from '../../../src/capture/memory-source.ts';
import { LINKTYPE_RAW } from '../../../src/capture/link-type.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { SILENT_LOG } from '../../../src/core/log.ts';
import { seqNum } from '../../../src/core/seq-num.ts';
import { instant, millis } from '../../../src/core/time.ts';
import { leasePlace } from '../../../src/control/lease-table.ts';
import { Intercept } from '../../../src/intercept/intercept.ts';
import type { InterceptSetup, InterceptTuning } from '../../../src/intercept/intercept-setup.ts';
import { monotonicNow } from '../../../src/clock/clock.ts';
import { InterceptLink } from '../../../src/replay/intercept-link.ts';
import type { InterceptLinkOptions } from '../../../src/replay/intercept-link-setup.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { Segment, TCP_ACK } from '../../../src/wire/segment.ts';
import { headersLength, TcpHeader, writeTcpPacket } from '../../../src/wire/tcp-writer.ts';

export const HOST = '127.0.0.1';
export const TARGET = { address: parseIp('192.0.2.1')!, portFirst: 80, portLast: 80 };

export interface Response {
  readonly port: number;
  readonly seq: number;
  readonly payload?: Uint8Array;
}

/** A response of the target as a raw IP packet. */
export function packet({ port, seq, payload = new Uint8Array(0) }: Response): Uint8Array {
  const header = new TcpHeader();
  const target = TARGET.address;
  const client = parseIp('10.0.0.7')!;
  [header.src2, header.src3, header.dst2, header.dst3] = [target.w2, target.w3, client.w2, client.w3];
  header.srcPort = 80;
  header.dstPort = port;
  header.seq = seqNum(seq);
  header.flags = TCP_ACK;
  header.window = 1000;
  const bytes = new Uint8Array(headersLength(header) + payload.length);
  writeTcpPacket(bytes, new DataView(bytes.buffer), 0, header, payload, 0, payload.length);
  return bytes;
}

export class LabIntercept {
  readonly source = new MemorySource([], { live: true, batchFrames: 64 });
  readonly intercept: Intercept;
  readonly port: number;
  ended: (Error | undefined)[] = [];

  private constructor(setup: Partial<InterceptSetup>, tuning: Partial<InterceptTuning>) {
    this.port = setup.port ?? 0;
    this.intercept = new Intercept({
      devices: ['lo'],
      backend: 'auto',
      sources: [this.source],
      makeParser: () => new FrameParser({ verifyChecksums: true }),
      bind: HOST,
      port: 0,
      key: undefined,
      tls: undefined,
      expression: undefined,
      software: 'test',
      log: SILENT_LOG,
      captureEnded: (error) => this.ended.push(error),
      ...setup,
      tuning: { tick: millis(20), statsInterval: millis(50), ...tuning },
    });
  }

  static async start(
    setup: Partial<InterceptSetup> = {},
    tuning: Partial<InterceptTuning> = {},
  ): Promise<LabIntercept> {
    const lab = new LabIntercept(setup, tuning);
    await lab.intercept.start();
    return lab;
  }

  respond(...responses: readonly Response[]): void {
    this.source.push(
      ...responses.map((response) => ({
        bytes: packet(response),
        time: instant(Date.now() * 1000),
        linkType: LINKTYPE_RAW,
      })),
    );
  }
}

/** Random, but such that the first blocks granted to it lie in one piece. */
function makeInstanceId(): Uint8Array {
  for (;;) {
    const id = randomBytes(8);
    if (leasePlace(id) % 63 < 40) return id;
  }
}

/** A link that notes all it is told and reads responses at once, unless `reading` is false. */
export class LabLink {
  readonly events: string[] = [];
  readonly responses: { port: number; seq: number; payload: string; missing: number }[] = [];
  readonly blocks = new Set<number>();
  readonly link: InterceptLink;
  reading = true;
  readonly #segment = new Segment();

  constructor(port: number, options: Partial<InterceptLinkOptions> = {}) {
    this.link = new InterceptLink(
      {
        host: HOST,
        port,
        connections: 2,
        key: undefined,
        tls: undefined,
        instanceId: makeInstanceId(),
        software: 'test',
        targets: [TARGET],
        clientRanges: [],
        wantPayload: 0,
        now: monotonicNow,
        heartbeatInterval: millis(50),
        heartbeatTimeout: millis(2_000),
        ...options,
      },
      {
        up: () => this.events.push('up'),
        down: (reason) => this.events.push(`down ${reason}`),
        leased: (first, count) => this.#change(first, count, true),
        leaseLost: (first, count) => this.#change(first, count, false),
        leaseRefused: (wanted, granted, free) => this.events.push(`refused ${wanted} ${granted} ${free}`),
        noPayload: () => this.events.push('no payload'),
        ready: () => this.read(),
      },
    );
  }

  read(): void {
    const s = this.#segment;
    while (this.reading && this.link.nextResponse(s)) {
      const payload = Buffer.from(s.bytes.subarray(s.payloadOffset, s.payloadOffset + s.payloadLength)).toString();
      this.responses.push({ port: s.dstPort, seq: s.seq, payload, missing: s.payloadMissing });
    }
  }

  /** The first port of the lease. */
  get firstPort(): number {
    return Math.min(...this.blocks) * 1024;
  }

  #change(first: number, count: number, leased: boolean): void {
    this.events.push(`${leased ? 'leased' : 'lost'} ${count / 1024}`);
    for (let block = first / 1024; block < (first + count) / 1024; block++) {
      if (leased) this.blocks.add(block);
      else this.blocks.delete(block);
    }
  }
}

/** Waits until `condition` holds; fails loudly when it does not within `limit` milliseconds. */
export async function until(condition: () => boolean, what: string, limit = 30_000): Promise<void> {
  const end = performance.now() + limit;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${limit} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
