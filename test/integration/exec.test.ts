/** The plugin `exec` with real programs: what they change, and what becomes of requests when they die, lie or hang. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import exec from '../../plugins/exec/index.ts';
import http from '../../plugins/http/index.ts';
import { readPluginOptions } from '../../src/config/plugin-options.ts';
import { parseIp } from '../../src/core/ip-address.ts';
import { instant, toMillis } from '../../src/core/time.ts';
import type { ConnectionInfo } from '../../src/pipeline/hooks.ts';
import type { PluginEnv } from '../../src/pipeline/plugin.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import type { HostClock } from '../../src/pipeline/tap-runner.ts';
import { monotonicNow } from '../../src/clock/clock.ts';
import { request } from '../plugins/plugin-rig.ts';
import { RecordingWriter } from '../support/recording-writer.ts';
import { TestClock } from '../../src/testing/test-clock.ts';
import { ByteServer } from './offline/byte-server.ts';
import { replayOffline } from './offline/offline-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'exec-'));
afterAll(() => rmSync(folder, { recursive: true }));
const EXAMPLES = new URL('../../examples/exec/', import.meta.url).pathname;
/** Longer than a program takes to start on a busy machine. */
const PATIENT = { timeout: '60s' };
const ROOT = process.getuid?.() === 0;
const GET = request('GET /');

const CLOCK: HostClock = {
  now: monotonicNow,
  after(delay, fn) {
    const timer = setTimeout(fn, toMillis(delay));
    return () => clearTimeout(timer);
  },
};

let programs = 0;

/** The command of a program that does `body` with each `message`; `say` prints an object, `begin` comes first. */
function program(body: string, begin = ''): string {
  const path = join(folder, `program-${programs++}.cjs`);
  const source = [
    "const fs = require('fs');",
    "const say = (value) => fs.writeSync(1, (typeof value === 'string' ? value : JSON.stringify(value)) + '\\n');",
    begin,
    "require('readline').createInterface({ input: process.stdin }).on('line', (line) => {",
    `  const message = JSON.parse(line); const { id } = message; ${body} });`,
  ];
  writeFileSync(path, source.join('\n'));
  return `'${process.execPath}' '${path}'`;
}

async function start(
  command: string,
  options: Record<string, unknown> = {},
  clock = CLOCK,
  childUser?: PluginEnv['childUser'],
) {
  const lines: string[] = [];
  const note = (line: string): void => void lines.push(line);
  const log = { error: note, warn: note, info: note, debug: note };
  const pipeline = new Pipeline({ clock, log });
  const env = { log, seed: 1, directory: folder, live: true, processes: 1, childUser };
  await pipeline.register(http, readPluginOptions(http, { options: [], where: 'http' }), env);
  const given = readPluginOptions(exec, { options: { command, ...options }, where: 'exec' });
  const ready = pipeline.register(exec, given, env);
  if (clock instanceof TestClock) clock.pass(500);
  await ready;
  let port = 40_000;
  const close = (): Promise<void> => pipeline.close();
  onTestFinished(close);

  /** What is sent of a message, on a connection of its own; or why it is not. */
  async function send(text: string): Promise<string> {
    const info: ConnectionInfo = {
      client: { address: parseIp('192.0.2.1')!, port: port++ },
      server: { address: parseIp('192.0.2.2')!, port: 80 },
      openedBy: 'syn',
    };
    const codec = pipeline.protocols.get('http')!.definition.codec!(info, true);
    const bytes = Buffer.from(text, 'latin1');
    codec.push({ bytes, offset: 0, length: bytes.length, time: instant(1), serverBytesSeen: 0 });
    const piece = codec.next()!;
    const plan = await pipeline.decide(info, 'http', piece, piece.message);
    if (plan?.dropped !== undefined) return `dropped: ${plan.dropped.reason}`;
    piece.encode?.();
    return Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset + piece.offset, piece.length).toString('latin1');
  }

  function figures(): Record<string, number> {
    const own = pipeline.report().find(({ name }) => name === 'exec')!.figures;
    return Object.fromEntries(own.map(({ name, value }) => [name, value]));
  }

  return { send, figures, lines, close };
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
};

describe('a program', () => {
  it('changes, drops and delays, in Python and in the shell', async () => {
    const python = await start(`python3 '${EXAMPLES}test-token.py'`, PATIENT);
    expect(await python.send(request('GET /a', 'Cookie: c', 'Authorization: secret'))).toBe(
      request('GET /a', 'Authorization: Bearer test-token'),
    );
    expect(await python.send(request('GET /health'))).toBe('dropped: health check');
    const shell = await start(`'${EXAMPLES}no-admin.sh'`, PATIENT);
    expect(await shell.send(request('GET /admin/users'))).toBe('dropped: admin');
    const post = `${request('POST /', 'Content-Length: 21')}{"target":"/admin/x"}`;
    expect(await shell.send(post)).toBe(post);
    expect(shell.figures()).toMatchObject({ answered: 2, restarts: 0 });
  });

  it('answers several at once, in any order', async () => {
    const command = program(
      "held.push({ id, headers: { 'X-Path': message.target } }); if (held.length === 5) held.reverse().map(say);",
      'const held = [];',
    );
    const { send } = await start(command, PATIENT);
    const paths = ['/1', '/2', '/3', '/4', '/5'];
    const sent = await Promise.all(paths.map((path) => send(request(`GET ${path}`))));
    expect(sent).toEqual(paths.map((path) => request(`GET ${path}`, `X-Path: ${path}`)));
  });

  it('gets no environment but what is asked for, and what it says is logged', async () => {
    process.env['EXEC_TEST_SECRET'] = 'hunter2';
    process.env['EXEC_TEST_PASSED'] = 'yes';
    const command = program(
      "say({ id, drop: Object.keys(process.env).filter((name) => /^EXEC|^PATH/.test(name)).sort().join(' ') });",
      "console.error('ready\\nto go');",
    );
    const { send, lines } = await start(command, { ...PATIENT, env: ['EXEC_TEST_PASSED'] });
    expect(await send(GET)).toBe('dropped: EXEC_TEST_PASSED PATH');
    await until(() => lines.length > 1);
    expect(lines.map((line) => line.replace(/^.*: /, ''))).toEqual(['ready', 'to go']);
  });

  it.skipIf(!ROOT)(`of a process of root's runs as somebody else${ROOT ? '' : ' [skipped: needs root]'}`, async () => {
    chmodSync(folder, 0o755);
    const nobody = { uid: 65_534, gid: 65_534 };
    const told = "say({ id, headers: { who: [process.getuid(), process.getgid(), process.getgroups()].join(' ') } });";
    const child = await start(program(told), PATIENT, CLOCK, nobody);
    expect(await child.send(GET)).toBe(request('GET /', 'who: 65534 65534 65534'));
  });

  it('that cannot run is refused at the start', async () => {
    await expect(start('./none')).rejects.toThrow(`${folder}/none does not exist`);
    await expect(start('no-such-program')).rejects.toThrow('there is no program no-such-program in PATH');
    writeFileSync(join(folder, 'text'), '#!/nowhere/interpreter\n', { mode: 0o755 });
    await expect(start('./text')).rejects.toThrow('./text cannot be started (ENOENT)');
    await expect(start('false')).rejects.toThrow('false ended (exit code 1)');
  });
});

describe('a program that', () => {
  it('dies is started again, and what it had is sent as it is', async () => {
    const command = program("if (message.target === '/die') process.kill(process.pid, 'SIGKILL'); else say({ id });");
    const { send, figures, lines } = await start(command, PATIENT);
    const [die, other] = [request('GET /die'), request('GET /held')];
    expect(await Promise.all([send(die), send(other)])).toEqual([die, other]);
    const path = program('').replace(/ .*$/, '');
    await until(() => figures()['restarts'] === 1);
    expect(lines[0]).toMatch(/was ended by SIGKILL; it is started again in 0.1 s$/);
    expect(lines[0]).toContain(path.replaceAll("'", ''));
    const before = figures()['answered']!;
    expect(await send(GET)).toBe(GET);
    expect(figures()).toMatchObject({ answered: before + 1, restarts: 1 });
  });

  it('is away lets nothing through where it is asked so', async () => {
    const command = program('process.exit(3);');
    const { send, figures, lines } = await start(command, { ...PATIENT, fallback: 'drop' });
    expect(await send(GET)).toBe('dropped: the program is not running');
    expect(await send(GET)).toBe('dropped: the program is not running');
    expect(lines[0]).toContain('ended (exit code 3); it is started again');
    expect(figures()).toMatchObject({ answered: 0, 'the program is not running': 2 });
  });

  it('prints garbage is named, and what is an answer still counts', async () => {
    const command = program(
      "say('hunter2'); say('[1]'); say({ id: 99999 }); say({ id: 0 }); say({}); say('null'); say('{\"id\":'); say({ id }); say({ id });",
    );
    const { send, figures, lines } = await start(command, PATIENT);
    expect(await send(GET)).toBe(GET);
    await until(() => figures()['late answers'] === 1);
    expect(figures()).toMatchObject({ answered: 1, 'lines that are no answer': 7 });
    expect(lines).toEqual([expect.stringMatching(/printed a line that is no answer: one JSON object a line/)]);
  });

  it('gives answers that make no sense is named, and the request stays as it was', async () => {
    const command = program("say({ id, target: '/changed', headers: { 'X-A': 'hunter2\\r\\nX-B: 1' } });");
    const passing = await start(command, PATIENT);
    expect([await passing.send(GET), await passing.send(GET)]).toEqual([GET, GET]);
    expect(passing.figures()).toMatchObject({ answered: 0, 'an answer that makes no sense': 2 });
    expect(passing.lines).toEqual([
      expect.stringMatching(/gave an answer that makes no sense: what it asks for would/),
    ]);
    const dropping = await start(program('say({ id, changed: true });'), { ...PATIENT, fallback: 'drop' });
    expect(await dropping.send(GET)).toBe('dropped: an answer that makes no sense');
  });

  it('hangs costs its time, then nothing, and is ended', async () => {
    const clock = new TestClock();
    const { send, figures, lines } = await start(program(''), { timeout: '4s', queue: 2 }, clock);
    const [one, two] = [send(GET), send(GET)];
    expect(await send(GET)).toBe(GET);
    expect(figures()).toMatchObject({ 'too many messages wait for the program': 1 });
    clock.pass(4_000);
    expect([await one, await two, figures()['no answer in time']]).toEqual([GET, GET, 2]);
    for (let n = 0; n < 2; n++) {
      const next = send(GET);
      clock.pass(4_000);
      expect(await next).toBe(GET);
    }
    expect(lines).toEqual([expect.stringContaining('has answered nothing for 12 s: it is ended')]);
    await until(() => lines.length > 1);
    expect(lines[1]).toContain('was ended by SIGKILL; it is started again');
  });

  it('will not end is ended with the run', async () => {
    const clock = new TestClock();
    const pidFile = join(folder, 'stubborn.pid');
    const command = program(
      '',
      `process.on('SIGTERM', () => fs.writeFileSync('${pidFile}.term', '')); setInterval(() => {}, 1000); fs.writeFileSync('${pidFile}', String(process.pid));`,
    );
    const { close } = await start(command, {}, clock);
    await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    const closed = close();
    clock.pass(2_000);
    await until(() => existsSync(`${pidFile}.term`));
    clock.pass(1_000);
    await closed;
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

it('a run goes on while its program is killed again and again, and the ledger balances', async () => {
  const server = await ByteServer.start();
  onTestFinished(() => server.close());
  const recording = new RecordingWriter();
  for (let n = 0; n < 30; n++) {
    const exchanges = Array.from({ length: 10 }, (_, i) => ({
      ...{ at: n * 40 + i * 100, request: request(`GET /${n}/${i}`), response: 'HTTP/1.1 204 No Content\r\n\r\n' },
    }));
    recording.add({ clientPort: 40_000 + n, exchanges });
  }
  const input = join(folder, 'load.pcap');
  recording.save(input);
  const command = program("if (++count === 40) process.kill(process.pid, 'SIGKILL'); say({ id });", 'let count = 0;');
  const run = await replayOffline({
    ...{ input: [input], map: [`80-${server.endpoint}`], target: 'socket', pace: 'capture' },
    plugin: [`exec="${command.replaceAll("'", '')}",timeout=60s`],
  });
  expect({ code: run.code, error: run.error }, run.output.join('\n')).toEqual({ code: 0, error: undefined });
  expect(run.summary).toMatchObject({ balanced: true, fidelityPercent: 100, requests: { delivered: 300, lost: 0 } });
  const { figures } = run.summary!.plugins.find(({ name }) => name === 'exec')!;
  const figure = (name: string): number => figures.find((one) => one.name === name)?.value ?? 0;
  expect(figure('restarts')).toBeGreaterThan(0);
  expect(figure('answered') + figure('the program is not running')).toBe(300);
  expect(run.output.filter((line) => line.includes('was ended by SIGKILL')).length).toBeGreaterThan(0);
});
