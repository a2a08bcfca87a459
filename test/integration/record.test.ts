/** What is recorded is what would be copied: a replay of the recording sends what a replay of the original does. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectFile } from '../../src/replay/inspect-recording.ts';
import { RecordingWriter } from '../support/recording-writer.ts';
import { captureManifest, CAPTURES } from '../support/shared-captures.ts';
import { ByteServer } from './offline/byte-server.ts';
import { recordOffline, replayOffline } from './offline/offline-run.ts';

/** Odd recordings hold servers that no `-x` can name. */
const files = captureManifest()
  .map(({ file, streams }) => ({ file, servers: [...new Set(streams.map((s) => s.server))].filter(isEndpoint) }))
  .filter(({ servers }) => servers.length > 0)
  // All of them hold; these are enough to find out when they do not.
  .filter(({ file }, i) => file.startsWith('own/') || i % 4 === 0);

function isEndpoint(server: string): boolean {
  return !server.startsWith('0.0.0.0:') && !server.endsWith(':0');
}

/** Lets everything pass. */
const LOOKER = `export default { name: 'looker', description: 'Looks.', apply() {} };`;
const tshark = spawnSync('tshark', ['-v']).status === 0;

let folder = '';
let out = '';
let looker = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'record-'));
  out = join(folder, 'out.pcapng');
  looker = join(folder, 'looker.mjs');
  writeFileSync(looker, LOOKER);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What would be sent for a recording: the bytes of each session. */
async function sessionsOf(input: string, servers: readonly string[]): Promise<string[]> {
  const write = join(folder, 'would-send.pcap');
  const map = servers.map((server) => `${server}-198.51.100.9:80`);
  const run = await replayOffline({ input: [input], map, client: ['198.18.0.x'], pace: 'asap', write });
  expect(run, run.output.join('\n')).toMatchObject({ code: 0, summary: { balanced: true } });
  const sessions: string[] = [];
  await inspectFile(write, ({ c2s: { sha256, bytes } }) => bytes > 0 && sessions.push(sha256));
  return sessions.sort();
}

/** Nothing that Wireshark objects to. */
function expectSound(path: string): void {
  if (!tshark) return;
  const checks = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE', '-o', 'http.decompress_body:FALSE'];
  const wrong =
    'tcp.checksum.status == 0 || ip.checksum.status == 0 || tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment';
  expect(execFileSync('tshark', ['-r', path, ...checks, '-Y', wrong], { encoding: 'utf8', stdio: 'pipe' })).toBe('');
}

describe('through a plugin that lets everything pass', () => {
  it.each(files.map((file) => [file.file, file] as const))('%s', async (_, { file, servers }) => {
    const run = await recordOffline({ input: [CAPTURES + file], map: servers, write: out, plugin: [looker] });
    expect(run, run.output.join('\n')).toMatchObject({ code: 0, summary: { balanced: true } });
    expect(await sessionsOf(out, servers)).toEqual(await sessionsOf(CAPTURES + file, servers));
  });
});

it('a server gets the same bytes from the recording, with responses waited for', async () => {
  const server = await ByteServer.start();
  const received = async (input: string): Promise<string[]> => {
    const run = await replayOffline({ input: [input], map: [`8080-${server.endpoint}`], target: 'socket' });
    expect(run.summary?.fidelityPercent, run.output.join('\n')).toBe(100);
    return (await server.takeReceived()).map(({ sha256 }) => sha256).sort();
  };
  const input = `${CAPTURES}own/small.server.pcap`;
  await recordOffline({ input: [input], map: ['8080'], write: out, plugin: ['http'] });
  expectSound(out);
  expect(await received(out)).toEqual(await received(input));
  await server.close();
});

describe('secrets', () => {
  const SECRETS = ['hunter2-token', 'cookie-secret', 'set-cookie-secret', 'response-secret'];
  const request = (n: number) =>
    `GET /${n} HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer hunter2-token\r\nCookie: sid=cookie-secret\r\n\r\n`;
  const response = `HTTP/1.1 200 OK\r\nSet-Cookie: sid=set-cookie-secret\r\nContent-Length: 15\r\n\r\nresponse-secret`;

  async function record(extra: Readonly<Record<string, unknown>>, name = 'scrubbed.pcapng') {
    const input = join(folder, 'secret.pcap');
    const writer = new RecordingWriter();
    for (let clientPort = 5_000; clientPort < 5_010; clientPort++) {
      writer.add({ clientPort, exchanges: [0, 1, 2].map((n) => ({ at: n * 10, request: request(n), response })) });
    }
    writer.save(input);
    const write = join(folder, name);
    const run = await recordOffline({ input: [input], map: ['80'], write, plugin: ['header-scrub'], ...extra });
    return { run, write, text: run.output.join('\n') };
  }

  it('never reach the disk', async () => {
    const { run, write, text } = await record({});
    expect(run).toMatchObject({ code: 0, summary: { requests: { captured: 30, delivered: 30 } } });
    const recorded = readFileSync(write, 'latin1');
    for (const secret of SECRETS) expect(recorded + text + JSON.stringify(run.summary)).not.toContain(secret);
    expect(recorded.match(/GET \/\d HTTP/g)).toHaveLength(30);
    expectSound(write);
  });

  it('nor does the rest of a message that a plugin drops at its beginning', async () => {
    const input = join(folder, 'posts.pcap');
    const writer = new RecordingWriter();
    const post = (target: string) => ({
      at: 0,
      request: `POST ${target} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 30\r\n\r\n`,
      response: '',
    });
    const body = (at: number, text: string) => ({ at, request: text.padEnd(15, '.'), response: '' });
    const exchanges = [
      post('/login'),
      body(1, 'hunter2-'),
      body(2, 'hunter2-'),
      post('/open'),
      body(4, 'kept'),
      body(5, 'kept'),
    ];
    writer.add({ clientPort: 5_000, exchanges: exchanges.map((exchange, at) => ({ ...exchange, at })) });
    writer.save(input);
    const { run, write } = await record({ input: [input], plugin: ['http-filter,denyPath=/login'] }, 'filtered.pcapng');
    expect(run.summary?.requests).toMatchObject({ captured: 2, delivered: 1, excluded: 1 });
    const recorded = readFileSync(write, 'latin1');
    expect(recorded).not.toContain('hunter2');
    expect(recorded.match(/kept/g)).toHaveLength(2);
  });

  it('are in it when nothing takes them out, as captured', async () => {
    const { write } = await record({ plugin: [] }, 'plain.pcapng');
    for (const secret of SECRETS) expect(readFileSync(write, 'latin1')).toContain(secret);
    expectSound(write);
  });
});

it('files of a limited size, of which the last stay, make up the end of it', async () => {
  const write = join(folder, 'ring.pcapng.gz');
  const input = `${CAPTURES}own/http_upload_gro.server.pcap`;
  const run = await recordOffline({ input: [input], map: ['8080'], write, maxSize: '64K', files: '3' });
  const names = readdirSync(folder).filter((name) => name.startsWith('ring_'));
  expect(names).toHaveLength(3);
  expect(run.summary?.recording).toMatchObject({
    asCaptured: true,
    failed: 0,
    files: names.map((n) => join(folder, n)),
  });
  expect(run.summary!.recording!.removed).toBeGreaterThan(0);
  for (const name of names) expect((await inspectFile(join(folder, name), () => undefined)).unreadable).toEqual([]);
});

it.runIf(process.platform === 'linux')(
  'a full disk: one line, counted, exit code 2 before and 1 after the start',
  async () => {
    const input = `${CAPTURES}own/small.server.pcap`;
    const run = await recordOffline({ input: [input], map: ['80'], write: '/dev/full' });
    expect(run).toMatchObject({ code: 2 });
    expect(run.error).toMatch(/^\/dev\/full: the disk is full; .* \[E_FILE\]$/);
  },
);
