/** `--workers`: processes of the built program that share a recording give what one gives. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SummaryObject } from '../../src/report/summary-json.ts';
import { completeFiles } from '../support/complete-streams.ts';
import { RecordingWriter } from '../support/recording-writer.ts';
import { CAPTURES } from '../support/shared-captures.ts';
import { ByteServer } from './offline/byte-server.ts';

const PROGRAM = fileURLToPath(new URL('../../dist/src/cli/tcpcopy.js', import.meta.url));
/** Connections enough that each of three workers has some. */
const files = completeFiles()
  .filter(({ nothingElse, streams, servers }) => nothingElse && streams.length >= 8 && servers.length === 1)
  .slice(0, 3);

describe('a recording shared by three workers', () => {
  let folder = '';
  let server: ByteServer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'workers-'));
    server = await ByteServer.start();
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  async function replay(file: string, online: string, workers: number) {
    const json = join(folder, 'summary.json');
    const args = ['-i', file, '-x', `${online}-${server.endpoint}`, '--target', 'socket'];
    const more = ['--pace', 'asap', '--workers', String(workers), '--summary-json', json];
    const child = spawn(process.execPath, [PROGRAM, ...args, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    expect(code, output).toBe(0);
    const summary = JSON.parse(readFileSync(json, 'utf8')) as SummaryObject;
    const received = (await server.takeReceived()).map(({ sha256 }) => sha256).sort();
    return { summary, received };
  }

  async function expectSame(file: string, online: string): Promise<SummaryObject> {
    const alone = await replay(file, online, 1);
    const shared = await replay(file, online, 3);
    expect(shared.received).toEqual(alone.received);
    const figures = ({ balanced, requests, connections, frames, bytes, sources }: SummaryObject) => ({
      ...{ balanced, requests, connections, frames, bytes, sources },
    });
    expect(figures(shared.summary)).toEqual(figures(alone.summary));
    return alone.summary;
  }

  it.each(files.map((file) => [file.file, file] as const))('%s', async (_, file) => {
    await expectSame(CAPTURES + file.file, file.servers[0]!);
  });

  it('holes that are filled too late, as the frames of others tell', async () => {
    const writer = new RecordingWriter();
    const exchange = (at: number, request: string) => ({ at, request, response: 'fine' });
    writer.add({
      clientPort: 40_000,
      exchanges: [exchange(100, 'one;'), exchange(200, 'two;'), exchange(300, 'three;')],
    });
    writer.postpone('two;', 4_000);
    const ticks = Array.from({ length: 60 }, (_, i) => exchange(i * 100, `tick ${i};`));
    for (const clientPort of [40_001, 40_002]) writer.add({ clientPort, exchanges: ticks });
    const file = join(folder, 'hole.pcap');
    writer.save(file);
    expect((await expectSame(file, '80')).bytes.missing).toBe('two;'.length);
  });
});
