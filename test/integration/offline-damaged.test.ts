/** Recordings that are cut off, damaged or none at all: what is sound is replayed, one line says what was not. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectFile } from '../../src/replay/inspect-recording.ts';
import { missingFrom } from '../support/complete-streams.ts';
import { damaged, seededRandom } from '../support/damage.ts';
import { captureManifest, CAPTURES } from '../support/shared-captures.ts';
import { ByteServer } from './offline/byte-server.ts';
import { replayOffline } from './offline/offline-run.ts';

const WHOLE = 'own/http_pipeline.server.pcap';
const bytes = readFileSync(CAPTURES + WHOLE);

let folder = '';
let server!: ByteServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'offline-damaged-'));
  server = await ByteServer.start();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.close();
});

function written(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** To a server of its own: most of such a run is waiting, so several are under way at once. */
async function replay(path: string, servers: readonly string[] = ['8080']) {
  const own = await ByteServer.start();
  const map = servers.map((server) => `${server}-${own.endpoint}`);
  const run = await replayOffline({ input: [path], map, target: 'socket', pace: 'asap' });
  const warnings = run.output.filter((line) => line.includes('not readable'));
  const received = (await own.takeReceived()).map((c) => c.sha256);
  await own.close();
  return { run, warnings, received };
}

/** The client streams that can be read from a file, up to their first gap. */
async function readable(path: string) {
  const all: string[] = [];
  const whole: string[] = [];
  await inspectFile(path, ({ c2s }) => {
    if (c2s.bytes > 0) all.push(c2s.sha256);
    if (c2s.bytes > 0 && c2s.gaps.length === 0) whole.push(c2s.sha256);
  });
  return { all, whole };
}

describe('cut off', () => {
  const random = seededRandom(42);
  const cuts = Array.from({ length: 12 }, () => 500 + Math.floor(random() * (bytes.length - 501)));

  it.concurrent.each([...cuts, bytes.length - 1])('after %d bytes', async (length) => {
    const path = written(`cut-${length}.pcap`, bytes.subarray(0, length));
    const { run, warnings, received } = await replay(path);
    expect(run).toMatchObject({ code: 0, error: undefined, summary: { balanced: true } });
    expect(received.sort()).toEqual((await readable(path)).all.sort());
    expect(warnings).toEqual([
      expect.stringMatching(/cut-\d+\.pcap: not readable: \d.* the file ends in the middle of/),
    ]);
  });

  it('gzip', async () => {
    const packed = gzipSync(bytes);
    const path = written('cut.pcap.gz', packed.subarray(0, packed.length / 2));
    const { run, warnings, received } = await replay(path);
    expect(run).toMatchObject({ code: 0, error: undefined, summary: { balanced: true } });
    expect(received.length).toBeGreaterThan(0);
    expect(received.sort()).toEqual((await readable(path)).all.sort());
    expect(warnings).toHaveLength(1);
  });
});

describe('with changed bytes', () => {
  const formats = [WHOLE, 'own-derived/fmt_pcapng_le.pcapng', 'own/redis_mix.server.pcap'];
  const truth = new Map(
    captureManifest()
      .filter(({ file }) => formats.includes(file))
      .map(({ file, streams }) => [file, streams]),
  );

  it.concurrent.each(formats.flatMap((file) => [0.00005, 0.0005, 0.01].map((rate) => [file, rate] as const)))(
    '%s, at a rate of %d',
    async (file, rate) => {
      const streams = truth.get(file)!;
      const intact = new Set(streams.map((s) => s.c2s_sha256));
      const servers = [...new Set(streams.map((s) => s.server))];
      const check = async (seed: number): Promise<void> => {
        const name = `${file.replaceAll('/', '-')}-${rate}-${seed}-changed`;
        const path = written(name, damaged(readFileSync(CAPTURES + file), rate, seed));
        const { run, received } = await replay(path, servers);
        if (run.code === 2) {
          expect(run.error).toMatch(/^[^\n]*changed: [^\n]* \[E_CAPTURE_FORMAT\]$/);
          expect(received).toEqual([]);
          return;
        }
        expect(run, `seed ${seed}`).toMatchObject({ code: 0, error: undefined, summary: { balanced: true } });
        // Streams that the damage did not touch come out as they were.
        const sound = (await readable(path)).whole.filter((sha256) => intact.has(sha256));
        expect(missingFrom(received, sound), `seed ${seed}`).toEqual([]);
      };
      await Promise.all([1, 2, 3, 4, 5, 6].map(check));
    },
  );
});

describe('not a recording', () => {
  const cases: Record<string, Uint8Array | string> = {
    'text.pcap': 'hello, this is text\n'.repeat(200),
    'empty.pcap': '',
    'archive.zip': Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(3_000, 7)]),
    'text.gz': gzipSync('hello, this is text\n'.repeat(200)),
    'noise.pcap': Buffer.from(Array.from({ length: 3_000 }, (_, i) => (i * 151 + 7) % 256)),
    'header-cut.pcap': bytes.subarray(0, 10),
    'record-cut.pcap': bytes.subarray(0, 50),
    'folder.pcap': '',
  };

  it.each(Object.entries(cases))('%s', async (name, content) => {
    const path = join(folder, name);
    if (name.startsWith('folder')) mkdirSync(path);
    else written(name, content);
    const { run, received } = await replay(path);
    expect(run).toMatchObject({ code: 2, output: [], summary: undefined });
    expect(run.error).toContain(path);
    expect(run.error).toMatch(/^[^\n]+ \[E_(CAPTURE_FORMAT|FILE)\]$/);
    expect(received).toEqual([]);
  });

  it('a recording without frames is one of nothing', async () => {
    const { run, received } = await replay(written('none.pcap', bytes.subarray(0, 24)));
    expect(run).toMatchObject({ code: 0, summary: { requests: { captured: 0 } } });
    expect(received).toEqual([]);
  });
});

describe('a target that takes nothing', () => {
  it('of a whole recording is a failure', async () => {
    const gone = await ByteServer.start();
    const { endpoint } = gone;
    await gone.close();
    const run = await replayOffline({ input: [CAPTURES + WHOLE], map: [`8080-${endpoint}`], target: 'socket' });
    expect(run).toMatchObject({ code: 1, summary: { exitCode: 1, balanced: true } });
    expect(run.error).toMatch(/^not one of \d+ requests reached the target; .*\[E_FIDELITY\]$/);
    expect(run.summary?.requests.buckets.refused).toBe(run.summary?.requests.captured);
  });
});

describe('the command', () => {
  const program = fileURLToPath(new URL('../../src/cli/tcpcopy.ts', import.meta.url));

  // Asynchronous: the server that it talks to runs here.
  function command(path: string, stdin?: Uint8Array): Promise<{ code: number; stderr: string[] }> {
    const args = ['-i', path, '-x', `8080-${server.endpoint}`, '--target', 'socket', '--log-level', 'warn'];
    return new Promise((resolve) => {
      const child = execFile(process.execPath, ['--import', 'tsx', program, ...args], (error, _stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stderr: stderr.split('\n').filter(Boolean) }),
      );
      child.stdin?.end(stdin);
    });
  }

  it('says in one line what it could not read', async () => {
    const cut = await command(written('cut.pcap', bytes.subarray(0, 300_000)));
    expect(cut).toEqual({ code: 0, stderr: [expect.stringContaining('cut.pcap: not readable: ')] });
    expect(await server.takeReceived()).toHaveLength(2);
    const text = await command(written('text.pcap', 'hello\n'.repeat(500)));
    expect(text).toEqual({
      code: 2,
      stderr: [expect.stringMatching(/^tcpcopy: .*text\.pcap: .*\[E_CAPTURE_FORMAT\]$/)],
    });
  });

  it('reads standard input, packed or not', async () => {
    for (const input of [bytes, gzipSync(bytes)]) {
      expect(await command('-', input)).toEqual({ code: 0, stderr: [] });
      expect(await server.takeReceived()).toHaveLength(3);
    }
    expect(await command('-', Buffer.from('hello\n'.repeat(500)))).toMatchObject({
      code: 2,
      stderr: [expect.any(String)],
    });
  });
});
