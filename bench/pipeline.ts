/**
 * What plugins cost a run: CPU per request of a recording replayed to nowhere (`-w /dev/null`), from its frames to the packets
 * that would be sent, and as a ratio to the same run without plugins.
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
import { RecordingWriter } from '../test/support/recording-writer.ts';

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

const CASES: readonly (readonly [name: string, plugins: readonly (string | PluginSpec)[]])[] = [
  ['no plugin', []],
  ['1 plugin that looks at bytes', several(1, looker)],
  ['5 plugins that look at bytes', several(5, looker)],
  ['HTTP read, and nothing done', ['http']],
  ['HTTP read, 1 plugin that reads a header', several(1, reader)],
  ['HTTP read, 5 plugins that read a header', several(5, reader)],
  ['HTTP read, Host rewritten', ['http-host-rewrite=staging.example.com']],
];

function record(path: string): void {
  const recording = new RecordingWriter();
  for (let c = 0; c < CONNECTIONS; c++) {
    const exchanges = Array.from({ length: PER_CONNECTION }, (_, i) => ({
      at: i + c / CONNECTIONS,
      request: [`GET /articles/${c}/${i}?page=2 HTTP/1.1`, ...FIELDS, '', ''].join('\r\n'),
      response: RESPONSE,
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
const input = join(folder, 'recording.pcap');
const times = CASES.map((): number[] => []);
try {
  record(input);
  // The first round warms up. Cases take turns, so that a machine that becomes busy is so for all.
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const [i, [, plugins]] of CASES.entries()) {
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
const table = new Table({ head: ['', 'ns CPU/request', 'of that plugins', 'ratio'], style: { head: [], border: [] } });
for (const [i, [name]] of CASES.entries()) {
  const [time, base] = [best[i]!, best[0]!];
  table.push([name, time.toFixed(0), (time - base).toFixed(0), (time / base).toFixed(2)]);
}
process.stdout.write(`${table.toString()}\n`);
