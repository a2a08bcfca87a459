/** `inspect --requests`: each request with its response, and what plugins make of it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePlugin } from '../../src/config/plugin-spec.ts';
import { SILENT_LOG } from '../../src/core/log.ts';
import { inspectRequests, type RequestInspection } from '../../src/replay/inspect-requests.ts';
import type { InspectedRequest } from '../../src/replay/request-listing.ts';
import { RecordingWriter } from '../support/recording-writer.ts';
import { captureManifest, CAPTURES } from '../support/shared-captures.ts';

const PROGRAM = new URL('../../src/cli/tcpcopy.ts', import.meta.url).pathname;
const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: shop.example\r\n\r\n`;
const reply = (status: number) => `HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nok`;
/** Takes its time, and changes what it waited for. */
const SLOW = `export default { name: 'slow', description: 'Slow.', protocol: 'http', apply(hooks) {
  hooks.http.request.tapPromise('slow', async (request) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    request.headers.set('X-Slow', request.target);
  });
} };`;

let folder = '';
let input = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'inspect-requests-'));
  input = join(folder, 'in.pcap');
  const writer = new RecordingWriter();
  const exchanges = [
    { at: 0, request: get('/a'), response: reply(200) },
    { at: 10, request: get('/b') + get('/c'), response: reply(404) + reply(500) },
    { at: 20, request: get('/d'), response: 'HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\ncut' },
  ];
  writer.add({ clientPort: 5_000, exchanges });
  writer.add({ clientPort: 5_001, exchanges: [{ at: 3, request: 'PING\r\n', response: 'PONG' }] });
  writer.save(input);
  writeFileSync(join(folder, 'slow.mjs'), SLOW);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function inspect(options: Partial<RequestInspection> = {}, path = input) {
  const requests: InspectedRequest[] = [];
  const none = { plugins: [], seed: 1, connection: undefined, limit: Infinity, log: SILENT_LOG };
  const totals = await inspectRequests(path, { ...none, ...options }, (request) => requests.push(request));
  const lines = requests.map(
    ({ connection, text, bytes, response }) =>
      `${connection} ${text} ${bytes} ${response === undefined ? '-' : `${response.status} ${response.after}`}`,
  );
  return { requests, lines, totals };
}

describe('requests', () => {
  it('with their responses, pipelined ones too; of other protocols by turns', async () => {
    const { lines, totals } = await inspect();
    expect(lines.toSorted()).toEqual([
      '1 GET shop.example/a 39 200 100',
      '1 GET shop.example/b 39 404 100',
      '1 GET shop.example/c 39 500 100',
      '1 GET shop.example/d 39 -',
      '2 "PING\\r\\n" 6 -',
    ]);
    expect(totals).toMatchObject({ requests: 5, connections: 2, limited: false, unreadable: [] });
  });

  it('of a connection whose beginning is missing and whose client has the lower port', async () => {
    const path = `${folder}/midstream.pcap`;
    const writer = new RecordingWriter();
    const exchanges = [{ at: 0, request: get('/a'), response: reply(200) }];
    writer.add({ clientPort: 22, exchanges, midstream: true });
    writer.save(path);
    const { lines, requests } = await inspect({}, path);
    expect(lines).toEqual(['1 GET shop.example/a 39 200 100']);
    expect(requests[0]!.client).toBe('192.0.2.1:22');
  });

  it('of a connection seen from within a request, whose answer is not taken for the next one’s', async () => {
    const path = `${folder}/within.pcap`;
    const writer = new RecordingWriter();
    const exchanges = [
      { at: 0, request: '=1&b=2', response: reply(200) },
      { at: 10, request: get('/b'), response: reply(404) },
      { at: 20, request: get('/c'), response: reply(500) },
    ];
    writer.add({ clientPort: 5_000, exchanges, midstream: true });
    writer.save(path);
    const { lines } = await inspect({}, path);
    expect(lines).toEqual(['1 GET shop.example/b 39 404 100', '1 GET shop.example/c 39 500 100']);
  });

  it('of a long pipeline, each with its own', async () => {
    const many = Array.from({ length: 300 }, (_, i) => i);
    const join = (text: (i: number) => string) => many.map(text).join('');
    const path = `${folder}/pipeline.pcap`;
    const writer = new RecordingWriter();
    const [request, response] = [join((i) => get(`/${i}`)), join((i) => reply(400 + (i % 100)))];
    writer.add({ clientPort: 5_000, exchanges: [{ at: 0, request, response }] });
    writer.save(path);
    const { requests } = await inspect({}, path);
    expect(requests.map(({ text, response }) => `${text} ${response?.status}`)).toEqual(
      many.map((i) => `GET shop.example/${i} ${400 + (i % 100)}`),
    );
  });

  it('of one connection, and not more than asked for', async () => {
    expect((await inspect({ connection: 2 })).lines).toEqual(['2 "PING\\r\\n" 6 -']);
    const { lines, totals } = await inspect({ limit: 2 });
    expect(lines).toHaveLength(2);
    expect(totals).toMatchObject({ requests: 2, limited: true });
  });

  it.each([
    ['a dropped one', 'http-filter,denyPath=/b'],
    ['one that takes its time', './slow.mjs'],
  ])('through plugins: %s', async (_, spec) => {
    const plugins = [parsePlugin('http-host-rewrite=staging'), parsePlugin(spec, '--plugin', folder)];
    const { requests, totals } = await inspect({ plugins });
    const told = requests.map(({ text, verdict, changes, response }) =>
      [text, verdict.dropped?.plugin, changes.map(({ plugin }) => plugin).join('+'), response?.status].join(' '),
    );
    const by = spec === './slow.mjs' ? 'http-host-rewrite+slow' : 'http-host-rewrite';
    const b = spec === './slow.mjs' ? `GET staging/b  ${by} 404` : 'GET shop.example/b http-filter  404';
    expect(told.toSorted()).toEqual(
      [
        '"PING\\r\\n"   ',
        `GET staging/a  ${by} 200`,
        b,
        `GET staging/c  ${by} 500`,
        `GET staging/d  ${by} `,
      ].toSorted(),
    );
    const { changes } = requests.find(({ text }) => text.endsWith('/a'))!;
    expect(Buffer.from(changes[0]!.before).toString()).toBe(get('/a'));
    expect(Buffer.from(changes[0]!.after).toString()).toBe(get('/a').replace('shop.example', 'staging'));
    expect(totals.plugins.find(({ name }) => name === 'http-host-rewrite')!.calls).toBeGreaterThan(0);
  });
});

it.each(
  captureManifest()
    .filter(({ file }) => /^(http|own)\//.test(file))
    .map(({ file }) => [file]),
)('adds up to the client data of the recording: %s', async (file) => {
  const { requests, totals } = await inspect({}, CAPTURES + file);
  expect(totals.connections).toBeGreaterThan(0);
  const streams = captureManifest().find((each) => each.file === file)!.streams;
  if (streams.some((s) => s.complete !== true)) return;
  const bytes = requests.reduce((sum, request) => sum + request.bytes, 0);
  expect(bytes).toBe(streams.reduce((sum, s) => sum + s.c2s_bytes, 0));
});

it('as lines, for people and for machines', () => {
  const run = (...args: string[]) =>
    execFileSync(process.execPath, ['--import', 'tsx', PROGRAM, 'inspect', input, ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  expect(run('--plugin', 'http-host-rewrite=staging', '--connection', '1', '--limit', '1').split('\n')).toEqual([
    '   #  client                       at    bytes  status      took  request',
    '   1  192.0.2.1:5000           +0.000       34     200    100 µs  GET staging/a',
    '      http-host-rewrite',
    '        - Host: shop.example',
    '        + Host: staging',
    '1 request, 2 connections; the rest is not shown (--limit)',
    expect.stringMatching(/^http-host-rewrite: 4 calls; .* in all, .* each$/),
    '',
  ]);
  expect(() => run('--connection', '9')).toThrow('--connection 9: the recording has no such connection; it has 2');
  const [line] = run('--requests', '--json', '--limit', '1').split('\n');
  expect(JSON.parse(line!)).toEqual({
    ...{ connection: 1, client: '192.0.2.1:5000', server: '198.51.100.1:80', time: 1_700_000_000, protocol: 'http' },
    ...{ request: 'GET shop.example/a', bytes: 39, whole: true, changed: false, copies: 1, delayMs: 0 },
    ...{ dropped: null, changes: [], response: { status: 200, ms: 0.1 } },
  });
});
