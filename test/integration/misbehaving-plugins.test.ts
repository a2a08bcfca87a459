/**
 * Plugins that do what plugins must not, in a run of the whole program: it goes on, names each of them, every request
 * arrives as it was captured, and the ledger balances.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SummaryObject } from '../../src/report/summary-json.ts';
import { RecordingWriter } from '../support/recording-writer.ts';
import { ByteServer } from './offline/byte-server.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/tcpcopy.ts', import.meta.url));
const CONNECTIONS = 12;
const PER_CONNECTION = 4;
const SECRET = 'hunter2';

/** Bodies of `apply(hooks, options, env)`, by the name of their plugin. */
const CULPRITS = {
  throws: `hooks.http.request.tap('throws', (request) => {
    request.headers.set('X-Half', 'done');
    JSON.parse('${SECRET} ' + request.path);
  });`,
  'never-answers': `hooks.http.request.tapPromise({ name: 'never-answers', deadline: 20 }, (request, context) => {
    if (!request.path.endsWith('/0')) return Promise.resolve();
    context.drop('never');
    return new Promise(() => undefined);
  });`,
  garbage: `let n = 0;
  const wrong = [
    () => 42,
    () => ({ drop: 5 }),
    (request) => void (request.body = '${SECRET}'),
    (request) => request.headers.set('Host', undefined),
    (request) => request.headers.set('X-\\r\\nY', 'a'),
    (request) => void (request.path = 'no path'),
    (request, context) => context.delay(NaN),
    (request, context) => context.replace('bytes'),
    (request, context) => context.copies(-1),
    async () => { throw new Error('${SECRET}'); },
    () => ({ then() { throw new Error('${SECRET}'); } }),
    () => { throw undefined; },
  ];
  hooks.http.request.tap('garbage', (request, context) => wrong[n++ % wrong.length](request, context));`,
  blocks: `let n = 0;
  hooks.http.request.tap('blocks', () => {
    if (n++ > 0) return;
    const end = Date.now() + 250;
    while (Date.now() < end);
  });`,
  leaks: `const kept = [];
  hooks.http.request.tap('leaks', (request, context) => {
    for (const [earlier, its] of kept.splice(0)) {
      earlier.headers.set('X-Late', '1');
      its.drop('late');
    }
    kept.push([request, context]);
  });`,
  strays: `let n = 0;
  hooks.http.request.tap('strays', () => {
    if (n++ === 3) setTimeout(() => { throw new RangeError('${SECRET}'); });
    if (n === 6) void Promise.reject(new TypeError('${SECRET}'));
  });`,
} as const;
type Culprit = keyof typeof CULPRITS;

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly summary: SummaryObject;
  /** What arrived on each connection, by its hash. */
  readonly arrived: readonly string[];
}

describe('plugins that misbehave', () => {
  let folder: string;
  let server: ByteServer;
  let sent: readonly string[];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'misbehaving-'));
    server = await ByteServer.start();
    for (const [name, body] of Object.entries(CULPRITS)) {
      const text = `export default { name: '${name}', description: 'A culprit.', protocol: 'http', apply(hooks) { ${body} } };`;
      writeFileSync(join(folder, `${name}.mjs`), text);
    }
    const recording = new RecordingWriter();
    const streams = Array.from({ length: CONNECTIONS }, (_, c) =>
      Array.from(
        { length: PER_CONNECTION },
        (_, i) => `POST /${c}/${i} HTTP/1.1\r\nHost: shop\r\nCookie: ${SECRET}\r\nContent-Length: 4\r\n\r\nbody`,
      ),
    );
    streams.forEach((requests, c) =>
      recording.add({
        clientPort: 30_000 + c,
        exchanges: requests.map((request, i) => ({ at: c + i * 5, request, response: 'ok' })),
      }),
    );
    recording.save(join(folder, 'recording.pcap'));
    sent = streams.map((requests) => createHash('sha256').update(requests.join('')).digest('hex')).sort();
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  async function replay(culprits: readonly Culprit[], ...more: string[]): Promise<Run> {
    const summaryFile = join(folder, 'summary.json');
    const [input, log] = [join(folder, 'recording.pcap'), join(folder, 'run.log')];
    const args = ['-i', input, '-x', `80-${server.endpoint}`, '--target', 'socket', '--summary-json', summaryFile];
    const plugins = culprits.flatMap((name) => ['--plugin', join(folder, `${name}.mjs`)]);
    const command = [
      '--import',
      'tsx',
      PROGRAM,
      ...args,
      ...plugins,
      '-l',
      log,
      '--log-level',
      'debug',
      '--debug',
      ...more,
    ];
    const { code, text } = await new Promise<{ code: number | null; text: string }>((resolve) => {
      const child = execFile(process.execPath, command, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, text: stdout + stderr }),
      );
    });
    const output = text + readFileSync(log, 'utf8');
    rmSync(log);
    expect(output).not.toContain(SECRET);
    const summary = readFileSync(summaryFile, 'utf8');
    expect(summary).not.toContain(SECRET);
    const arrived = (await server.takeReceived()).map(({ sha256 }) => sha256).sort();
    return { code, output, summary: JSON.parse(summary) as SummaryObject, arrived };
  }

  const failuresOf = ({ summary }: Run, name: string) =>
    summary.plugins.find((plugin) => plugin.name === name)!.failures;

  it.each<[Culprit, RegExp, number]>([
    [
      'throws',
      /plugin throws failed on http\.request: SyntaxError at .*throws\.mjs:\d+:\d+;/,
      CONNECTIONS * PER_CONNECTION,
    ],
    ['never-answers', /plugin never-answers failed on http\.request: no answer in time;/, CONNECTIONS],
    ['garbage', /plugin garbage failed on http\.request: it returned a number;/, CONNECTIONS * PER_CONNECTION],
    ['blocks', /plugin blocks held everything up for \d+ ms on http\.request/, 0],
    ['leaks', /^/, 0],
    ['strays', /plugin strays failed on something outside its taps: (Range|Type)Error at .*strays\.mjs:\d+:\d+;/, 2],
  ])('%s', async (culprit, named, failures) => {
    const run = await replay([culprit]);
    expect(run.code, run.output).toBe(0);
    expect(run.output).toMatch(named);
    expect(failuresOf(run, culprit)).toBe(failures);
    expect(run.summary.balanced).toBe(true);
    expect(run.summary.requests.lost).toBe(0);
    expect(run.arrived, run.output).toEqual(sent);
  });

  it('all of them at once', async () => {
    const run = await replay(Object.keys(CULPRITS) as Culprit[]);
    expect(run.code, run.output).toBe(0);
    expect(run.summary.balanced).toBe(true);
    expect(run.arrived, run.output).toEqual(sent);
  });

  it('with the policy drop nothing passes that one has failed on', async () => {
    const run = await replay(['throws'], '--on-plugin-error', 'drop');
    expect(run.summary).toMatchObject({
      balanced: true,
      requests: { delivered: 0, lost: CONNECTIONS * PER_CONNECTION },
    });
    expect(run.arrived).toEqual([]);
  });

  it('with the policy abort the run ends, and says who it was', async () => {
    const run = await replay(['throws'], '--on-plugin-error', 'abort');
    expect(run.code).toBe(1);
    expect(run.output).toMatch(/tcpcopy: plugin throws failed on http\.request: SyntaxError at .*\[E_PLUGIN_FAILED\]/);
    expect(run.summary.balanced).toBe(true);
    expect(run.arrived).toEqual([]);
  });
});
