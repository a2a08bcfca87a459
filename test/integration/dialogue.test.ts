/** A protocol with logins, ids and state, replayed from a recording to a real server whose passwords and ids are others. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { RecordingWriter } from '../support/recording-writer.ts';
import { DeskServer, type DeskServerOptions } from './dialogue/desk-server.ts';
import { replayOffline, type OfflineRun } from './offline/offline-run.ts';

const PLUGIN = resolve('test/support/desk-protocol.ts');
const folder = mkdtempSync(join(tmpdir(), 'dialogue-'));
const recording = join(folder, 'desk.pcap');
let server: DeskServer | undefined;

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A recorded connection: what the client sent, what the online server had answered, and when, ms. */
function record(lines: readonly (readonly [string, string, number?])[]): void {
  const writer = new RecordingWriter();
  let at = 1;
  const exchanges = lines.map(([request, response, pause = 1]) => ({ at: (at += pause), request, response }));
  writer.add({ clientPort: 40_000, exchanges });
  writer.save(recording);
}

async function replay(options: DeskServerOptions, more: Readonly<Record<string, unknown>> = {}): Promise<OfflineRun> {
  server = await DeskServer.start(options);
  return replayOffline({
    input: [recording],
    map: [`80-${server.endpoint}`],
    target: 'socket',
    plugin: [`${PLUGIN},users.ann=secret-of-the-target,fallback=ann`],
    ...more,
  });
}

const LOGIN = [
  ['', 'desk online\n'],
  ['login ann enilnosecret-of-the-online-server\n', '+in\n'],
] as const;

describe('a dialogue', () => {
  it('logs in, maps ids, and gives a fresh session what the one before had', async () => {
    record([
      ...LOGIN,
      ['room red\n', '+room red\n'],
      ['keep hat\n', '+id 5\n'],
      ['keep coat\n', '+id 6\n'],
      ['show 6\n', '-part\n+coat\n', 400],
      ['show 4\n', '-part\n+scarf\n'],
      ['note well\n', ''],
      ['bye\n', '+bye\n'],
    ]);
    const run = await replay({ users: { ann: 'secret-of-the-target' }, closesAfter: 2 }, { pace: 'capture' });
    const login = (n: number) => `login ann ${n}egnellahcsecret-of-the-target`;
    const kept = ['room red', 'keep hat', 'keep coat'];
    expect(server!.diaries).toEqual([
      [login(1), ...kept],
      [login(2), ...kept, 'show 103', 'note well', 'bye'],
    ]);
    const { requests, target, online, plugins, balanced } = run.summary!;
    expect(requests.buckets).toMatchObject({ answered: 7, 'not-replayable': 1 });
    expect(requests.captured).toBe(8);
    expect(plugins.find(({ name }) => name === 'desk')!.drops).toEqual({ 'kept before the copy began': 1 });
    expect([target.sessions, balanced, online.responsesRead]).toEqual([2, true, 10]);
    expect(run.output.join('\n')).not.toContain('secret');
  });

  it('waits for responses where the client did', async () => {
    record([...LOGIN, ['keep hat\n', '+id 5\n'], ['show 5\n', '-part\n+hat\n'], ['bye\n', '+bye\n']]);
    const run = await replay({ users: { ann: 'secret-of-the-target' } });
    expect(server!.diaries.map((lines) => lines.slice(1))).toEqual([['keep hat', 'show 100', 'bye']]);
    expect(run.summary!.requests.buckets).toMatchObject({ answered: 4 });
  });

  it('that is refused is named once, counted, and not tried again', async () => {
    record([...LOGIN, ['room red\n', '+room red\n'], ['bye\n', '+bye\n']]);
    const run = await replay({ users: { ann: 'another' } });
    expect(server!.diaries).toHaveLength(1);
    expect(run.summary!.requests.buckets).toMatchObject({ 'login-failed': 3 });
    expect(run.summary!.connections.buckets).toMatchObject({ 'login-failed': 1 });
    const told = run.output.filter((line) => line.includes('plugin desk: a connection cannot be replayed'));
    expect(told).toEqual([expect.stringContaining('the login was refused')]);
  });
});
