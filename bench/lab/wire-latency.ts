/**
 * How long requests are inside a host of the lab: from when they are put on the wire to it until the last of the response has left
 * it, as the switch sees it. What clients see is more: they share a processor with whatever else runs in the lab.
 */
import { existsSync } from 'node:fs';
import type { Host } from '../../test/e2e/lab/host.ts';
import type { Lab } from '../../test/e2e/lab/lab.ts';
import { until, type Child } from '../../test/e2e/lab/shell.ts';
import { readFrames } from '../../test/support/read-frames.ts';

export interface TimedRequest {
  /** When it began: milliseconds of the monotonic clock. */
  readonly at: number;
  /** Until the end of the response, ms. */
  readonly took: number;
}

/**
 * Keeps a socket open that wants timestamps (SO_TIMESTAMPNS). While there is one the kernel notes of each packet when it was
 * sent, on the processor of who sent it; else it does so when the capture sees it, which may be busy with other things.
 */
const STAMPING =
  'import socket, signal; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, 35, 1); signal.pause()';
/** Ethernet, IPv4, TCP with timestamps. */
const HEADERS = '96';

export class WireLatency {
  readonly #file: string;
  readonly #ports: readonly number[];
  readonly #children: readonly Child[];

  /** Of connections to these ports of a host's front device, from now on. */
  static async start(lab: Lab, name: 'online', ports: readonly number[]): Promise<WireLatency> {
    const host: Host = lab.host(name);
    const file = host.file('latency.pcap');
    // The switch's namespace is no host's; its end of the cable is.
    const inSwitch = ['nsenter', `--net=/run/netns/${lab.prefix}-switch`];
    const options = ['-s', HEADERS, '-B', '32768', '-Z', 'root', '--time-stamp-precision=nano', '-w', file];
    const filter = `tcp and (${ports.map((port) => `port ${port}`).join(' or ')})`;
    const stamping = host.spawn('stamping', ['python3', '-c', STAMPING]);
    const tcpdump = host.spawn('latency', [...inSwitch, 'tcpdump', '-i', `f-${name}`, ...options, filter]);
    await until('tcpdump did not start', () => existsSync(file));
    return new WireLatency(file, ports, [tcpdump, stamping]);
  }

  private constructor(file: string, ports: readonly number[], children: readonly Child[]) {
    this.#file = file;
    this.#ports = ports;
    this.#children = children;
  }

  /** Ends it; all requests that were answered meanwhile. */
  async stop(): Promise<TimedRequest[]> {
    for (const child of this.#children) await child.stop('SIGINT');
    // Of a capture in Unix time; turns are longer than what this may be wrong by.
    const epoch = Date.now() - Number(process.hrtime.bigint()) / 1e6;
    const requests: TimedRequest[] = [];
    const open = new Map<number, { began: number; answered: number }>();
    const settle = (key: number): void => {
      const request = open.get(key);
      if (request === undefined || request.answered === 0) return;
      requests.push({ at: request.began / 1_000 - epoch, took: (request.answered - request.began) / 1_000 });
      open.delete(key);
    };
    await readFrames(this.#file, (batch, i, segment) => {
      if (segment === undefined || segment.payloadLength + segment.payloadMissing === 0) return;
      const inward = this.#ports.includes(segment.dstPort);
      const key = inward ? segment.dstPort * 65_536 + segment.srcPort : segment.srcPort * 65_536 + segment.dstPort;
      const time = batch.time[i]!;
      if (inward) {
        settle(key);
        open.set(key, { began: time, answered: 0 });
      } else {
        const request = open.get(key);
        if (request !== undefined) request.answered = time;
      }
    });
    for (const key of [...open.keys()]) settle(key);
    return requests;
  }
}
