/** Recordings replayed through our own TCP, to a server that hashes what it gets. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { completeFiles, hashesOf, missingFrom, type CompleteFile } from '../support/complete-streams.ts';
import { RecordingWriter } from '../support/recording-writer.ts';
import { CAPTURES } from '../support/shared-captures.ts';
import type { Host } from './lab/host.ts';
import type { Lab } from './lab/lab.ts';
import { ASSISTANT } from './lab/live-copy.ts';
import { COPY_NET, HOSTS, SERVICE_PORT } from './lab/plan.ts';
import { RunningProgram, startIntercept } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { ownProgram } from './lab/servers.ts';
import { PATIENCE, sleep } from './lab/shell.ts';

/** Hashes of the connections that have ended, empty ones left out. */
class HashServer {
  readonly port: number;
  readonly #file: string;

  static async start(host: Host, port = SERVICE_PORT): Promise<HashServer> {
    const records = host.file(`hashes-${port}.jsonl`);
    host.spawn('hash-server', ownProgram('hash-server.ts', { port, records }));
    await host.listening(port);
    return new HashServer(port, records);
  }

  private constructor(port: number, file: string) {
    this.port = port;
    this.#file = file;
  }

  /** Since the last call, once there are `count` of them. */
  async take(count: number): Promise<string[]> {
    const end = Date.now() + PATIENCE;
    while (this.#read().length < count && Date.now() < end) await sleep(20);
    const hashes = this.#read();
    rmSync(this.#file, { force: true });
    return hashes;
  }

  #read(): string[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n').filter(Boolean);
    const all = lines.map((line) => JSON.parse(line) as { bytes: number; sha256: string });
    return all.filter(({ bytes }) => bytes > 0).map(({ sha256 }) => sha256);
  }
}

/** Runs tcpcopy on a recording to its end, which it finds itself. */
async function replay(lab: Lab, args: readonly string[]) {
  const tcpcopy = new RunningProgram('tcpcopy', lab.host('online'), args);
  const timer = setTimeout(() => tcpcopy.child.kill('SIGKILL'), 60_000);
  const { code } = await tcpcopy.child.exited;
  clearTimeout(timer);
  expect(code, tcpcopy.output).toBe(0);
  return { summary: tcpcopy.summary(), output: tcpcopy.output };
}

describeLab('recordings through our own TCP', () => {
  const files = new Map(completeFiles().map((file) => [file.file, file]));

  async function replayWhole(lab: Lab, server: HashServer, file: CompleteFile, path: string, v6: boolean) {
    const target = `${v6 ? `[${HOSTS.test.back.v6}]` : HOSTS.test.back.v4}:${server.port}`;
    const client = v6 ? 'fd77:100::/120' : COPY_NET.pattern;
    const map = file.servers.map((s) => `${s}-${target}`).join(',');
    const { summary, output } = await replay(lab, ['-i', path, '-x', map, '-s', ASSISTANT, '-c', client]);
    const hashes = hashesOf(file);
    expect(missingFrom(await server.take(hashes.length), hashes), `${file.file}\n${output}`).toEqual([]);
    expect(summary, file.file).toMatchObject({ balanced: true });
    if (file.nothingElse) expect(summary.requests.buckets.answered, output).toBe(summary.requests.captured);
  }

  labTest('arrive whole, every one with complete streams', {}, async (lab) => {
    await startIntercept(lab.host('assistant'));
    const waiting = [...files];
    const lane = async (server: HashServer): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await replayWhole(lab, server, next[1], CAPTURES + next[0], false);
      }
    };
    const servers = await Promise.all([80, 81, 82, 83].map((port) => HashServer.start(lab.host('test'), port)));
    await Promise.all(servers.map(lane));
    const server = servers[0]!;
    const name = 'own/http_pipeline.server.pcap';
    const packed = lab.host('online').file('packed.pcap.gz');
    writeFileSync(packed, gzipSync(readFileSync(CAPTURES + name)));
    await replayWhole(lab, server, files.get(name)!, packed, false);
    await replayWhole(lab, server, files.get(name)!, packed, true);
  });

  labTest('of many short connections, five times as fast: all of them, and no waiting at the end', {}, async (lab) => {
    const connections = 8_000;
    const writer = new RecordingWriter('sll2');
    for (let i = 0; i < connections; i++) {
      const exchange = { at: i * 2, request: `GET /${i}`, response: 'fine' };
      writer.add({ client: `192.0.2.${1 + (i % 4)}`, clientPort: 10_000 + (i >> 2), exchanges: [exchange] });
    }
    const path = lab.host('online').file('short.pcap');
    writer.save(path);
    await startIntercept(lab.host('assistant'));
    const server = await HashServer.start(lab.host('test'));
    const args = ['-x', `80-${HOSTS.test.back.v4}:80`, '-s', ASSISTANT, '-c', COPY_NET.pattern];
    const { summary } = await replay(lab, ['-i', path, ...args, '--pace', 'capture', '-a', '5']);
    expect(new Set(await server.take(connections)).size).toBe(connections);
    expect(summary).toMatchObject({ balanced: true, fidelityPercent: 100 });
    expect(summary.requests.buckets.answered).toBe(connections);
    // 3.2 s of recording; a busy machine takes longer, a wait for a response that never comes 30 s.
    expect(summary.elapsedSeconds).toBeLessThan(20);
  });
});
