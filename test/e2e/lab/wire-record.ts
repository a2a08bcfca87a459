/** What went over a wire of the lab: a capture of it by tcpdump, and the byte streams in it. */
import { existsSync } from 'node:fs';
import { captureStreams } from '../../support/capture-streams.ts';
import type { Host } from './host.ts';
import type { Wire } from './plan.ts';
import { until, type Child } from './shell.ts';

export class WireRecord {
  readonly file: string;
  readonly #tcpdump: Child;

  static async start(host: Host, wire: Wire, filter = 'tcp port 80'): Promise<WireRecord> {
    const file = host.file(`${wire}.pcap`);
    // Immediately, lest it lose at the end what it holds; with a buffer that a busy machine does not overrun.
    const options = ['--immediate-mode', '-U', '-B', '131072', '-w', file];
    const tcpdump = host.spawn('tcpdump', ['tcpdump', '-i', wire, ...options, filter]);
    await until('tcpdump did not start', () => existsSync(file));
    return new WireRecord(file, tcpdump);
  }

  private constructor(file: string, tcpdump: Child) {
    this.file = file;
    this.#tcpdump = tcpdump;
  }

  async stop(): Promise<void> {
    await this.#tcpdump.stop('SIGINT');
  }

  /** What clients said on connections that began and ended while it was recorded, as Latin-1, sorted. */
  async clientStreams(): Promise<string[]> {
    const streams = [...(await captureStreams(this.file)).values()];
    return streams
      .map((bytes) => Buffer.from(bytes).toString('latin1'))
      .filter((text) => /^\s*[A-Z]+ +\S+ HTTP/.test(text))
      .sort();
  }
}
