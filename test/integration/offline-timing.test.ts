/** The times of a recording: kept, sped up and cut down as asked, without losing a packet or waiting for nothing. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectFile } from '../../src/replay/inspect-recording.ts';
import { RecordingWriter, type Exchange } from '../support/recording-writer.ts';
import { replayOffline } from './offline/offline-run.ts';

const HOUR = 3_600_000;
/**
 * Times are counted from before the run, so a slow machine can only make them longer: less than recorded is too early. A
 * timer may fire a millisecond before its time.
 */
const EARLY = 5;
/** Far beyond what a busy machine takes, and far below what waiting for nothing takes, ms. */
const PROMPT = 20_000;

let folder = '';
let server!: Server;
let target = '';
/** Which requests arrived and when, ms: on a busy machine several of one connection come at once. */
let arrivals: { readonly text: string; readonly at: number }[] = [];
let arrived = (): void => undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'offline-timing-'));
  server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const at = performance.now();
      for (const text of data.toString().match(/[^;]+;?/g) ?? []) arrivals.push({ text, at });
      arrived();
      socket.write('ok');
    });
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 8_192 });
  await once(server, 'listening');
  target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  server.close();
  await once(server, 'close');
});

async function replay(file: string, options: Readonly<Record<string, unknown>>) {
  arrivals = [];
  const begun = performance.now();
  const run = await replayOffline({ input: [file], map: [`80-${target}`], target: 'socket', ...options });
  const ended = performance.now();
  const since = arrivals.map(({ at }) => at - begun);
  return { run, texts: arrivals.map(({ text }) => text), since, afterLast: ended - (arrivals.at(-1)?.at ?? 0) };
}

/** A recording of one request at each of these times, all on one connection or each on its own. */
function recordingOf(name: string, times: readonly number[], linkType: 'raw' | 'sll2', together: boolean): string {
  const writer = new RecordingWriter(linkType);
  const exchanges = times.map((at, i): Exchange => ({ at, request: `request ${i};`, response: 'fine' }));
  if (together) writer.add({ clientPort: 40_000, exchanges });
  else exchanges.forEach((exchange, i) => writer.add({ clientPort: 40_000 + i, exchanges: [exchange] }));
  const path = join(folder, name);
  writer.save(path);
  return path;
}

const requests = (times: readonly number[]) => times.map((_, i) => `request ${i};`);

/** Between connections a busy server sees no order. */
const inOrder = (texts: readonly string[], together: boolean) => (together ? texts : [...texts].sort());

describe('recorded times', () => {
  describe.each([
    { connections: 'one connection', linkType: 'raw', together: true },
    { connections: 'a connection each', linkType: 'sll2', together: false },
  ] as const)('on $connections (link type $linkType)', ({ linkType, together }) => {
    // A close pair, a pause, a close pair: sent one gap early, the third would come right behind the second.
    const times = [0, 20, 620, 640, 1_240];

    it('are kept, no request early', async () => {
      const { run, texts, since } = await replay(recordingOf('kept.pcap', times, linkType, together), {
        pace: 'capture',
      });
      expect(run).toMatchObject({ code: 0, summary: { fidelityPercent: 100, balanced: true } });
      expect(inOrder(texts, together)).toEqual(requests(times));
      since.forEach((at, i) => expect(at, `request ${i}`).toBeGreaterThan(times[i]! - EARLY));
      expect(run.took).toBeLessThan(PROMPT);
    });

    it('are divided by -a', async () => {
      const hours = [0, HOUR, 2 * HOUR];
      const { run, texts, since } = await replay(recordingOf('fast.pcap', hours, linkType, together), {
        pace: 'capture',
        accelerate: '10000',
      });
      expect(run).toMatchObject({ code: 0, summary: { fidelityPercent: 100 } });
      expect(inOrder(texts, together)).toEqual(requests(hours));
      since.forEach((at, n) => expect(at, `request ${n}`).toBeGreaterThan(hours[n]! / 10_000 - EARLY));
      expect(run.took).toBeLessThan(PROMPT);
    });

    it('have long gaps cut down to -I, and no further', async () => {
      const hours = [0, HOUR, 2 * HOUR];
      const file = recordingOf('gaps.pcap', hours, linkType, together);
      const cut = await replay(file, { pace: 'capture', maxGap: '300' });
      expect(cut.run).toMatchObject({ code: 0, summary: { fidelityPercent: 100 } });
      expect(inOrder(cut.texts, together)).toEqual(requests(hours));
      expect(cut.since[1]).toBeGreaterThan(300 - EARLY);
      expect(cut.since[2]).toBeGreaterThan(600 - EARLY);
      expect(cut.run.took).toBeLessThan(PROMPT);
      const none = await replay(file, { pace: 'capture', maxGap: '0' });
      expect(none.run).toMatchObject({ code: 0, summary: { fidelityPercent: 100 } });
      expect(inOrder(none.texts, together)).toEqual(requests(hours));
      expect(none.run.took).toBeLessThan(PROMPT);
    });
  });

  it('do not delay a stop', async () => {
    const file = recordingOf('stopped.pcap', [0, HOUR], 'raw', true);
    const options = { input: [file], map: [`80-${target}`], target: 'socket', pace: 'capture' };
    const stop = new AbortController();
    arrived = () => stop.abort();
    const run = await replayOffline(options, stop.signal);
    arrived = () => undefined;
    expect(run).toMatchObject({ code: 0, summary: { endedBy: 'stopped', balanced: true } });
    expect(run.summary?.requests).toMatchObject({ captured: 1, delivered: 1 });
    expect(run.took).toBeLessThan(PROMPT);
  });

  it('play no part with --pace response, nor asap', async () => {
    const times = [0, HOUR, 2 * HOUR];
    const file = recordingOf('paces.pcap', times, 'sll2', true);
    for (const pace of ['response', 'asap']) {
      const { run, texts } = await replay(file, { pace });
      expect(run).toMatchObject({ code: 0, summary: { fidelityPercent: 100 } });
      expect(texts).toEqual(requests(times));
      expect(run.took).toBeLessThan(PROMPT);
    }
  });

  it('begin again with each pass of -T', async () => {
    const times = [0, 200];
    const { run, texts, since } = await replay(recordingOf('twice.pcap', times, 'raw', true), {
      pace: 'capture',
      repeat: '3',
    });
    expect(run).toMatchObject({ code: 0, summary: { fidelityPercent: 100, connections: { captured: 3 } } });
    expect(inOrder(texts, false)).toEqual(inOrder([...requests(times), ...requests(times), ...requests(times)], false));
    expect(since.at(-1)).toBeGreaterThan(600 - EARLY);
  });
});

describe('20,000 short connections', () => {
  const CONNECTIONS = 20_000;
  /** Recorded over this many ms. */
  const LENGTH = 10_000;
  let file = '';
  beforeAll(() => {
    const writer = new RecordingWriter();
    for (let i = 0; i < CONNECTIONS; i++) {
      const exchange = { at: (i * LENGTH) / CONNECTIONS, request: `GET /${i}`, response: 'fine' };
      writer.add({ client: `192.0.2.${1 + (i % 2)}`, clientPort: 10_000 + (i >> 1), exchanges: [exchange] });
    }
    file = join(folder, 'short.pcap');
    writer.save(file);
  });

  it.each([
    ['capture, -a 5', { pace: 'capture', accelerate: '5' }],
    ['response', { pace: 'response' }],
  ])('all arrive, and the run ends with the last (%s)', async (_, options) => {
    const { run, texts, afterLast } = await replay(file, options);
    expect(run).toMatchObject({ code: 0, summary: { fidelityPercent: 100, balanced: true } });
    expect(run.summary?.requests.buckets.answered).toBe(CONNECTIONS);
    expect(new Set(texts).size).toBe(CONNECTIONS);
    expect(afterLast).toBeLessThan(PROMPT);
  });

  it('a dry run writes them all', async () => {
    const write = join(folder, 'out.pcap');
    const options = { input: [file], map: ['80-198.51.100.9:80'], client: ['198.18.0.x'], write };
    const run = await replayOffline({ ...options, pace: 'capture', accelerate: '10' });
    expect(run).toMatchObject({ code: 0, summary: { fidelityPercent: 100, balanced: true } });
    const sessions = new Map<string, number>();
    await inspectFile(write, ({ c2s }) => void sessions.set(c2s.sha256, c2s.bytes));
    expect(sessions.size).toBe(CONNECTIONS);
    expect(run.took).toBeLessThan(PROMPT);
  });
});
