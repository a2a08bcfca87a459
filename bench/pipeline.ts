/**
 * What plugins cost a run: CPU per request of a recording replayed to nowhere (`-w /dev/null`), from its frames to the packets
 * that would be sent, and as a ratio to the first run of the same traffic.
 *
 *     npm run bench:pipeline -- [--rounds 5]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { machineContext } from '../src/cli/machine-context.ts';
import { parseCopyOptions } from '../src/config/copy-options-schema.ts';
import type { PluginSpec } from '../src/config/plugin-spec.ts';
import { SILENT_LOG } from '../src/core/log.ts';
import { definePlugin, type Plugin } from '../src/plugin/index.ts';
import { runCopy } from '../src/replay/run-copy.ts';
import { RecordingWriter, type Exchange } from '../test/support/recording-writer.ts';

const CONNECTIONS = 200;
const PER_CONNECTION = 200;
/** 400 bytes, as browsers send them. */
const FIELDS = [
  'Host: online.example.com',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.5',
  'Accept-Encoding: gzip, deflate, br',
  'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark',
  'Connection: keep-alive',
];
const RESPONSE = `HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n${'x'.repeat(100)}`;

/** Looks at every message as bytes, and does nothing. */
const looker = (i: number): Plugin =>
  definePlugin({
    name: `looker-${i}`,
    description: 'Looks at every message.',
    apply: (hooks) => hooks.request.tap(`looker-${i}`, () => undefined),
  });
/** Reads one header of every request. */
const reader = (i: number): Plugin =>
  definePlugin({
    name: `reader-${i}`,
    description: 'Reads a header of every request.',
    protocol: 'http',
    apply: (hooks) =>
      hooks.http.request.tap(`reader-${i}`, (request) => {
        if (request.headers.get('cookie') === undefined) throw new Error('no cookie');
      }),
  });
const several = (n: number, make: (i: number) => Plugin): PluginSpec[] =>
  Array.from({ length: n }, (_, i) => ({ plugin: make(i), options: {}, where: 'bench', directory: undefined }));

/** Reads every command, and drops it: what stands before it is measured, and no target has to play its part. */
const dropper: Plugin = definePlugin({
  name: 'dropper',
  description: 'Drops every message.',
  apply: (hooks) => hooks.request.tap({ name: 'dropper', phase: 'observe' }, (context) => context.drop('bench')),
});
const DROPPED: PluginSpec = { plugin: dropper, options: {}, where: 'bench', directory: undefined };

type Traffic = 'http' | 'redis' | 'mysql';

const CASES: readonly (readonly [traffic: Traffic, name: string, plugins: readonly (string | PluginSpec)[]])[] = [
  ['http', 'no plugin', []],
  ['http', '1 plugin that looks at bytes', several(1, looker)],
  ['http', '5 plugins that look at bytes', several(5, looker)],
  ['http', 'HTTP read, and nothing done', ['http']],
  ['http', 'HTTP read, 1 plugin that reads a header', several(1, reader)],
  ['http', 'HTTP read, 5 plugins that read a header', several(5, reader)],
  ['http', 'HTTP read, Host rewritten', ['http-host-rewrite=staging.example.com']],
  ['redis', 'no plugin', []],
  ['redis', 'Redis read, and nothing done', ['redis']],
  ['redis', 'Redis read, keys with a prefix', ['redis,prefix=shadow:']],
  ['redis', 'Redis read, filtered by keys', ['redis-filter=user:*']],
  ['redis', 'Redis read, kept from writing', ['redis', 'writes']],
  ['mysql', 'all dropped', [DROPPED]],
  ['mysql', 'MySQL read, all dropped', ['mysql,user=shadow,password=x', DROPPED]],
  ['mysql', 'MySQL read and filtered by verb, all dropped', ['mysql-filter,verb=SELECT', DROPPED]],
  ['mysql', 'MySQL read, schemas renamed, all dropped', ['mysql-rewrite,schemas.shop=copy', DROPPED]],
];

/** Protocol 4.1 and a database; no password. */
const MYSQL_LOGIN = `\x09\x02\0\0\0\0\0\x01\x2d${'\0'.repeat(23)}app\0\0shop\0`;

/** One request of connection `c`, and its response. */
const TRAFFIC: Readonly<Record<Traffic, (c: number, i: number) => Pick<Exchange, 'request' | 'response'>>> = {
  http: (c, i) => ({
    request: [`GET /articles/${c}/${i}?page=2 HTTP/1.1`, ...FIELDS, '', ''].join('\r\n'),
    response: RESPONSE,
  }),
  redis: (c, i) => ({ request: resp('MGET', `user:${c}`, `user:${i}`, 'user:all'), response: '*0\r\n' }),
  mysql: (c, i) => {
    if (i === 0) return { request: packetOf(MYSQL_LOGIN, 1), response: packetOf('\0\0\0\x02\0\0\0', 2) };
    const where = `owner = ${c} AND id IN (${i}, 7) AND state <> 'sold'`;
    return {
      request: packetOf(`\x03SELECT id, name, price FROM shop.items WHERE ${where} LIMIT 10`),
      response: packetOf('\0\0\0\x02\0\0\0', 1),
    };
  },
};

function resp(...args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}

/** A packet of less than 128 bytes. */
function packetOf(payload: string, sequence = 0): string {
  return `${String.fromCharCode(payload.length, 0, 0, sequence)}${payload}`;
}

function record(path: string, traffic: Traffic): void {
  const recording = new RecordingWriter();
  for (let c = 0; c < CONNECTIONS; c++) {
    const exchanges = Array.from({ length: PER_CONNECTION }, (_, i) => ({
      at: i + c / CONNECTIONS,
      ...TRAFFIC[traffic](c, i),
    }));
    recording.add({ clientPort: 20_000 + c, exchanges });
  }
  recording.save(path);
}

/** CPU of one run, ns per request. */
async function run(input: string, plugin: readonly (string | PluginSpec)[]): Promise<number> {
  const given = { input: [input], map: ['80-192.0.2.99:80'], write: '/dev/null', pace: 'asap', plugin, seed: '1' };
  const { options } = parseCopyOptions(given, machineContext('tcpcopy'));
  const begun = process.cpuUsage();
  const code = await runCopy(options, {
    log: SILENT_LOG,
    stdout: () => undefined,
    stopSignal: new AbortController().signal,
    statsRequests: () => undefined,
    started: () => undefined,
  });
  if (code !== 0) throw new Error(`a run ended with ${code}`);
  const { user, system } = process.cpuUsage(begun);
  return ((user + system) * 1e3) / (CONNECTIONS * PER_CONNECTION);
}

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const folder = mkdtempSync(join(tmpdir(), 'bench-pipeline-'));
const inputs = new Map((Object.keys(TRAFFIC) as Traffic[]).map((name) => [name, join(folder, `${name}.pcap`)]));
const times = CASES.map((): number[] => []);
try {
  for (const [traffic, input] of inputs) record(input, traffic);
  // The first round warms up. Cases take turns, so that a machine that becomes busy is so for all.
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [i, [traffic, , plugins]] of CASES.entries()) {
      const input = inputs.get(traffic)!;
      // Twice: what the run before leaves behind as garbage is then of the same kind.
      await run(input, plugins);
      const time = await run(input, plugins);
      if (round > 0) times[i]!.push(time);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}

const best = times.map((all) => Math.min(...all));
const table = new Table({
  head: ['', '', 'ns CPU/request', 'of that plugins', 'ratio'],
  style: { head: [], border: [] },
});
for (const [i, [traffic, name]] of CASES.entries()) {
  // To the first of its traffic.
  const base = best[CASES.findIndex(([other]) => other === traffic)]!;
  const time = best[i]!;
  table.push([traffic, name, time.toFixed(0), (time - base).toFixed(0), (time / base).toFixed(2)]);
}
process.stdout.write(`${table.toString()}\n`);
