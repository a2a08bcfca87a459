/** Every recording with complete client streams is replayed: what arrives is what clients sent, and twice the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectFile } from '../../src/replay/inspect-recording.ts';
import { completeFiles, hashesOf, missingFrom, type CompleteFile } from '../support/complete-streams.ts';
import { RecordingWriter } from '../support/recording-writer.ts';
import { captureManifest, CAPTURES } from '../support/shared-captures.ts';
import { ByteServer } from './offline/byte-server.ts';
import { replayOffline, type OfflineRun } from './offline/offline-run.ts';

const files = completeFiles();

/** Recordings that lack something, or of which it is not certain what they hold. */
const incomplete = captureManifest()
  .filter(({ file }) => !files.some((complete) => complete.file === file && complete.nothingElse))
  .map(({ file, streams }) => ({ file, servers: [...new Set(streams.map((s) => s.server))].filter(isEndpoint) }))
  .filter(({ servers }) => servers.length > 0)
  .map((file) => [file.file, file] as const);

/** Odd recordings hold servers that no `-x` can name. */
function isEndpoint(server: string): boolean {
  return !server.startsWith('0.0.0.0:') && !server.endsWith(':0');
}

const mapTo = ({ servers }: Pick<CompleteFile, 'servers'>, target: string) =>
  servers.map((server) => `${server}-${target}`);

/** Every complete stream arrived, and nothing did that is none; what became of each request is known. */
function expectWhole(file: CompleteFile, run: OfflineRun, received: readonly string[]): void {
  expect({ code: run.code, error: run.error, balanced: run.summary?.balanced }).toEqual({ code: 0, balanced: true });
  const wanted = hashesOf(file);
  expect(missingFrom(received, wanted), run.output.join('\n')).toEqual([]);
  if (!file.nothingElse) return;
  expect(run.summary).toMatchObject({ fidelityPercent: 100, requests: { lost: 0 }, bytes: { missing: 0 } });
  expect(received).toHaveLength(wanted.length);
}

it('there are recordings of every kind', () => {
  expect(files.length).toBeGreaterThan(110);
  expect(new Set(files.map(({ file }) => file.split('/')[0]))).toEqual(
    new Set([
      'http',
      'http-body',
      'http-hostile',
      'http-upgrade',
      'link',
      'mysql',
      'own',
      'own-derived',
      'redis',
      'tcp',
    ]),
  );
});

describe('as a dry run', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'offline-replay-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What the packets of a dry run are when they are put together again, a line per session. */
  async function dryRun(file: Pick<CompleteFile, 'file' | 'servers'>, pace: string) {
    const write = join(folder, 'out.pcap');
    const run = await replayOffline({
      input: [CAPTURES + file.file],
      map: mapTo(file, '198.51.100.9:80'),
      client: ['198.18.0.x'],
      pace,
      write,
    });
    const sessions: { client: string; sha256: string; bytes: number }[] = [];
    const { drops, tracker } = await inspectFile(write, ({ client, c2s: { sha256, bytes, gaps } }) => {
      expect(gaps).toEqual([]);
      if (bytes > 0) sessions.push({ client, sha256, bytes });
    });
    expect({ drops, badChecksums: tracker['bytes-bad-checksum'] ?? 0 }).toEqual({ drops: {}, badChecksums: 0 });
    return { run, sessions, requests: run.summary?.requests };
  }

  it.each(files.map((file) => [file.file, file] as const))('%s', async (_, file) => {
    const first = await dryRun(file, 'asap');
    expectWhole(
      file,
      first.run,
      first.sessions.map((s) => s.sha256),
    );
    expect((await dryRun(file, 'asap')).sessions).toEqual(first.sessions);
    expect((await dryRun(file, 'response')).sessions).toEqual(first.sessions);
  });

  it.each(incomplete)('twice the same though bytes are missing: %s', async (_, file) => {
    const first = await dryRun(file, 'asap');
    expect(first.run).toMatchObject({ code: 0, summary: { balanced: true } });
    for (const pace of ['asap', 'response']) {
      const { sessions, requests } = await dryRun(file, pace);
      expect(sessions).toEqual(first.sessions);
      expect(requests).toEqual(first.requests);
    }
  });
});

describe('a segment captured late', () => {
  const SECONDS = 40;
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'offline-late-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Replays a connection with a request a second, of which the eleventh was captured `ms` late. */
  async function replayLate(ms: number, pace: string) {
    const writer = new RecordingWriter();
    const exchanges = Array.from({ length: SECONDS }, (_, i) => ({
      at: i * 1_000,
      request: `<${i}>`,
      response: 'fine',
    }));
    writer.add({ clientPort: 40_000, exchanges });
    writer.postpone('<10>', ms);
    const [input, write] = [join(folder, 'late.pcap'), join(folder, 'out.pcap')];
    writer.save(input);
    const options = pace === 'capture' ? { pace, accelerate: '100' } : { pace };
    const run = await replayOffline({
      input: [input],
      map: ['80-198.51.100.9:80'],
      client: ['198.18.0.7'],
      write,
      ...options,
    });
    const sessions: number[] = [];
    await inspectFile(write, ({ c2s }) => void sessions.push(c2s.bytes));
    return { sessions, gaps: run.summary?.requests.buckets['capture-gap'], balanced: run.summary?.balanced };
  }

  const bytes = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `<${from + i}>`).join('').length;

  // However fast the recording is read: what counts is the time that it tells.
  it.each(['asap', 'response', 'capture'])(
    'by less than three seconds is no gap, by more it is one (%s)',
    async (pace) => {
      expect(await replayLate(2_500, pace)).toEqual({ sessions: [bytes(0, SECONDS)], gaps: 0, balanced: true });
      const late = await replayLate(9_000, pace);
      expect(late).toMatchObject({ gaps: 2, balanced: true });
      expect(late.sessions[0]).toBe(bytes(0, 10));
      expect(late.sessions.reduce((a, b) => a + b)).toBe(bytes(0, 10) + bytes(12, SECONDS));
    },
  );
});

// Most of such a run is waiting for a last answer that does not come, so several are under way at once.
describe('to a socket target', () => {
  async function replay(file: CompleteFile, pace: string, greets: boolean) {
    const server = await ByteServer.start(greets);
    const run = await replayOffline({
      input: [CAPTURES + file.file],
      map: mapTo(file, server.endpoint),
      target: 'socket',
      pace,
    });
    const received = (await server.takeReceived()).map((c) => c.sha256);
    await server.close();
    return { run, received: received.sort() };
  }

  // Late bytes, and connections from the middle, have reassembly hold back what follows: more than a queue would take.
  it('all of what was held back, however much comes at once', async () => {
    const server = await ByteServer.start();
    const folder = mkdtempSync(join(tmpdir(), 'offline-held-'));
    const input = join(folder, 'held.pcap');
    const exchanges = Array.from({ length: 20_000 }, (_, i) => {
      return { at: i / 10, request: `<${i}>`.padEnd(1_300), response: 'ok' };
    });
    const writer = new RecordingWriter();
    writer.add({ clientPort: 40_000, exchanges });
    writer.postpone(exchanges[0]!.request, 1_950);
    writer.save(input);
    const run = await replayOffline({ input: [input], map: [`80-${server.endpoint}`], target: 'socket', pace: 'asap' });
    expect(run.summary).toMatchObject({ fidelityPercent: 100, requests: { captured: 20_000, lost: 0 } });
    const [received] = await server.takeReceived();
    expect(received?.bytes).toBe(20_000 * 1_300);
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it.concurrent.each(files.map((file) => [file.file, file] as const))('%s', async (_, file) => {
    const [first, second] = await Promise.all([replay(file, 'asap', false), replay(file, 'asap', false)]);
    expectWhole(file, first.run, first.received);
    expect(second.received).toEqual(first.received);
    // The server speaks first, as some of the recorded ones did; without that their clients would be held back.
    const paced = await replay(file, 'response', true);
    expectWhole(file, paced.run, paced.received);
    if (file.nothingElse)
      expect(paced.run.summary?.requests.buckets.answered).toBe(paced.run.summary?.requests.captured);
  });
});
