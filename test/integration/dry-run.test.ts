/** `--dry-run`: every request with what becomes of it, and nothing is sent. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RecordingWriter } from '../support/recording-writer.ts';
import { CAPTURES } from '../support/shared-captures.ts';
import { replayOffline } from './offline/offline-run.ts';

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: shop.example\r\n\r\n`;
const SLOW = `export default { name: 'slow', description: 'Slow.', apply(hooks) {
  hooks.request.tap('slow', (request) => request.delay(1500));
  hooks.connection.tap('slow', (connection) => connection.copies(3));
} };`;

let folder = '';
let input = '';
let server: Server;
let connected = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dry-run-'));
  input = join(folder, 'in.pcap');
  const writer = new RecordingWriter();
  const exchanges = ['/a', '/private', '/c'].map((target, i) => ({ at: i * 10, request: get(target), response: 'ok' }));
  writer.add({ clientPort: 5_000, exchanges });
  writer.add({ clientPort: 5_001, exchanges: [{ at: 3, request: 'PING\r\n\x1b[2J', response: 'PONG' }] });
  writer.save(input);
  server = createServer(() => connected++).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

async function dryRun(options: Readonly<Record<string, unknown>>) {
  const { port } = server.address() as AddressInfo;
  const map = [`80-127.0.0.1:${port}`];
  const run = await replayOffline({ input: [input], map, dryRun: true, ...options });
  expect(run, run.output.join('\n')).toMatchObject({ code: 0, summary: { balanced: true, dryRun: true } });
  expect(connected).toBe(0);
  const end = run.output.indexOf('');
  return run.output.slice(0, end).map((line) => line.replaceAll(`:${port}`, ':80').replace(/ +/g, ' '));
}

it('shows what plugins do, without an intercept', async () => {
  const lines = await dryRun({ plugin: ['http-host-rewrite=staging', 'http-filter,denyPath=/private'] });
  expect(lines).toEqual([
    'client outcome bytes request',
    '192.0.2.1:5000 changed 34 GET staging/a',
    '192.0.2.1:5001 as it is 10 "PING\\r\\n\\x1b[2J"',
    '192.0.2.1:5000 dropped 45 (http-filter: denyPath) GET shop.example/private',
    '192.0.2.1:5000 changed 34 GET staging/c',
  ]);
});

it('and without plugins, by turns', async () => {
  expect(await dryRun({})).toEqual([
    'client outcome bytes request',
    '192.0.2.1:5001 as it is 10 "PING\\r\\n\\x1b[2J"',
    '192.0.2.1:5000 as it is 39 GET shop.example/a',
    '192.0.2.1:5000 as it is 45 GET shop.example/private',
    '192.0.2.1:5000 as it is 39 GET shop.example/c',
  ]);
});

it('the target too where there are several', async () => {
  const { port } = server.address() as AddressInfo;
  const lines = await dryRun({ map: [`80-127.0.0.1:${port}`, '81-127.0.0.1:9'] });
  expect(lines.slice(0, 2)).toEqual([
    'client target outcome bytes request',
    '192.0.2.1:5001 127.0.0.1:80 as it is 10 "PING\\r\\n\\x1b[2J"',
  ]);
});

it('copies and delays', async () => {
  const slow = join(folder, 'slow.mjs');
  writeFileSync(slow, SLOW);
  expect((await dryRun({ plugin: [slow] }))[2]).toContain('as it is 39 (3 times, after 1.5 s) GET shop.example/a');
});

it('a message that is not whole is cut short', async () => {
  const run = await replayOffline({
    input: [`${CAPTURES}own/http_upload_lossy.client.pcap`],
    map: ['8080-127.0.0.1:9'],
    plugin: ['http'],
    dryRun: true,
  });
  expect(run.summary?.requests.captured).toBe(run.output.slice(1, run.output.indexOf('')).length);
});

it('with -w the packets are written too', async () => {
  const write = join(folder, 'would-send.pcap');
  expect(await dryRun({ write })).toHaveLength(5);
  expect(statSync(write).size).toBeGreaterThan(500);
});
