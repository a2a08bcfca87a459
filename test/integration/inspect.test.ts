/** `inspect` against what is known of each recording: every byte, every gap, in every direction. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InspectedConnection } from '../../src/replay/connection-inspector.ts';
import { inspectFile } from '../../src/replay/inspect-recording.ts';
import { captureManifest, CAPTURES, type CaptureStream } from '../support/shared-captures.ts';

describe('every recording', () => {
  it.each(captureManifest().map((f) => [f.file, f.streams] as const))('%s', async (file, streams) => {
    const byEnds = new Map<string, InspectedConnection[]>();
    const inspection = await inspectFile(CAPTURES + file, (connection) => {
      const ends = `${connection.client} > ${connection.server}`;
      byEnds.set(ends, [...(byEnds.get(ends) ?? []), connection]);
    });
    const found = streams.map(({ client, server }) => byEnds.get(`${client} > ${server}`)?.shift());
    expect(found.map(measured)).toEqual(streams.map(expected));
    expect(inspection.connections).toBe(streams.length);
    const dropped = Object.values(inspection.drops).reduce((sum, n) => sum + n, 0);
    expect(inspection.segments + dropped).toBe(inspection.frames);
  });
});

function expected(s: CaptureStream) {
  return {
    ends: `${s.client} > ${s.server}`,
    c2s: { bytes: s.c2s_bytes, sha256: s.c2s_sha256, gaps: s.c2s_gaps ?? [] },
    s2c: { bytes: s.s2c_bytes, sha256: s.s2c_sha256, gaps: s.s2c_gaps ?? [] },
  };
}

function measured(c: InspectedConnection | undefined) {
  const stream = ({ bytes, sha256, gaps }: InspectedConnection['c2s']) => ({ bytes, sha256, gaps });
  return c && { ends: `${c.client} > ${c.server}`, c2s: stream(c.c2s), s2c: stream(c.s2c) };
}

const PROGRAM = fileURLToPath(new URL('../../src/cli/tcpcopy.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

function inspect(args: readonly string[], input?: Uint8Array) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', PROGRAM, 'inspect', ...args], {
    cwd: ROOT,
    ...(input === undefined ? {} : { input }),
    encoding: 'utf8',
  });
  return { status, stdout: stdout.split('\n').filter(Boolean), stderr: stderr.split('\n').filter(Boolean) };
}

describe('the command', () => {
  const small = `${CAPTURES}own-derived/fmt_pcap_be.pcap`;
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'inspect-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('prints one line of JSON a connection, equal from a file, gzip, and standard input', async () => {
    const plain = inspect(['--json', small]);
    expect(plain).toMatchObject({ status: 0, stderr: [] });
    const entry = captureManifest().find((f) => small.endsWith(f.file));
    expect(plain.stdout.map((line) => JSON.parse(line) as unknown)).toEqual(
      entry?.streams.map((s) => {
        const { c2s, s2c } = expected(s);
        return { client: s.client, server: s.server, c2s, s2c };
      }),
    );
    const packed = gzipSync(readFileSync(small));
    await writeFile(join(folder, 'small.gz'), packed);
    expect(inspect(['--json', join(folder, 'small.gz')])).toEqual(plain);
    expect(inspect(['--json', '-'], packed)).toEqual(plain);
  });

  it('prints a table with totals', () => {
    const { status, stdout, stderr } = inspect([small]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: [] });
    expect(stdout[0]).toMatch(/^client +server +to server +to client +lasted +opened +ended +missing$/);
    expect(stdout[1]).toMatch(/^10\.99\.1\.1:\d+ +10\.99\.1\.2:8080 +[\d,]+ +[\d,]+ .* SYN +closed$/);
    expect(stdout.at(-1)).toMatch(/^1 connection in \d+ frames: \d+ TCP segments, nothing else$/);
  });

  it('prints what is sound of a file that was cut off, and one line about the rest', async () => {
    const cut = inspect([`${CAPTURES}own-derived/cutfile_http_pipeline.pcap`]);
    expect(cut.status).toBe(0);
    expect(cut.stdout.at(-1)).toMatch(/^3 connections in 456 frames/);
    expect(cut.stderr).toEqual([
      expect.stringMatching(/cutfile_http_pipeline\.pcap: not readable: 824 bytes: .*\[E_CAPTURE_FORMAT\]$/),
    ]);
    const packed = gzipSync(readFileSync(`${CAPTURES}own-derived/cutfile_http_pipeline.pcap`));
    await writeFile(join(folder, 'cut.gz'), packed.subarray(0, packed.length / 2));
    const half = inspect([join(folder, 'cut.gz')]);
    expect(half.status).toBe(0);
    expect(half.stderr).toHaveLength(1);
  });

  it('refuses in one line, with exit code 2, what is no recording', async () => {
    const header = readFileSync(small).subarray(0, 24);
    const broken = { 'text.txt': 'hello\n', 'empty.pcap': '', 'stub.pcap': header.subarray(0, 10) };
    await writeFile(join(folder, 'rest.pcap'), Buffer.concat([header, Buffer.from('damaged')]));
    for (const [name, content] of Object.entries(broken)) await writeFile(join(folder, name), content);
    for (const path of [...Object.keys(broken), 'rest.pcap', 'missing.pcap', '.'].map((n) => join(folder, n))) {
      const { status, stdout, stderr } = inspect([path]);
      expect({ path, status, stdout, lines: stderr.length }).toEqual({ path, status: 2, stdout: [], lines: 1 });
      expect(stderr[0]).toContain(path);
    }
  });
});
