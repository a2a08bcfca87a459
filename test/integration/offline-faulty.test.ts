/** Recordings replayed to targets that do not do their part: the run stays small, says why, and comes to an end. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RecordingWriter } from '../support/recording-writer.ts';
import { replayOffline } from './offline/offline-run.ts';

const MEGABYTE = 1 << 20;
/** Bytes of one recorded packet. */
const PACKET = 60_000;
const UPLOADS = 8;
const UPLOAD = 16 * MEGABYTE;
const SHORT = 600;

let folder = '';
let uploads = '';
let short = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'offline-faulty-'));
  uploads = join(folder, 'uploads.pcap');
  const large = new RecordingWriter();
  const request = 'x'.repeat(PACKET);
  for (let i = 0; i < UPLOADS; i++) {
    const exchanges = Array.from({ length: Math.ceil(UPLOAD / PACKET) }, (_, n) => ({ at: n, request, response: '' }));
    large.add({ clientPort: 40_000 + i, exchanges });
  }
  large.save(uploads);
  short = join(folder, 'short.pcap');
  const small = new RecordingWriter();
  for (let i = 0; i < SHORT; i++) {
    const exchange = (n: number) => ({ at: i + n, request: `GET /${i}.${n}`, response: 'fine' });
    small.add({ clientPort: 40_000 + i, exchanges: [exchange(0), exchange(1)] });
  }
  small.save(short);
});
afterAll(() => rmSync(folder, { recursive: true }));

let server: Server | undefined;
const sockets = new Set<Socket>();

/** A target of which each connection is treated so; gives its endpoint. */
async function target(treat: (socket: Socket, count: number) => void, pauseOnConnect = false): Promise<string> {
  let count = 0;
  server = createServer({ pauseOnConnect }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    treat(socket, ++count);
  });
  // Else the kernel drops what asks for more connections, and asks again only when these runs' patience is over.
  server.listen({ port: 0, host: '127.0.0.1', backlog: 2 * SHORT });
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server?.close();
  if (server?.listening === true) await once(server, 'close');
  server = undefined;
});

/** `-t 2`: nobody is waited for longer than two seconds. */
async function replay(file: string, endpoint: string, more: Readonly<Record<string, unknown>> = {}) {
  const before = process.memoryUsage().rss;
  let peak = before;
  const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
  const options = { input: [file], map: [`80-${endpoint}`], target: 'socket', timeout: '2', ...more };
  const run = await replayOffline(options);
  clearInterval(sampler);
  expect(run.summary?.balanced).toBe(true);
  const used = Object.entries(run.summary!.requests.buckets).filter(([, n]) => n > 0);
  return { run, buckets: Object.fromEntries(used), growth: peak - before };
}

describe.each(['asap', 'response'])('with --pace %s, a target that', (pace) => {
  it('does not read: the recording is held back, memory stays small, and what was not taken is named', async () => {
    const endpoint = await target(() => undefined, true);
    const { run, buckets, growth } = await replay(uploads, endpoint, { pace, memory: '64' });
    expect(buckets).toEqual({ 'timed-out': UPLOADS });
    expect(run).toMatchObject({ code: 1, error: expect.stringMatching(/\[E_FIDELITY\]$/) as string });
    expect(growth).toBeLessThan(160 * MEGABYTE);
    expect(run.took).toBeLessThan(60_000);
  });

  it('reads and never answers: what is read before it is given up is delivered, none of it answered', async () => {
    const endpoint = await target((socket) => socket.resume());
    // With asap all of it goes out at once: a busy machine may not have connected everybody after two seconds.
    const { run, buckets } = await replay(short, endpoint, { pace, timeout: pace === 'asap' ? '6' : '2' });
    expect(run.code).toBe(0);
    if (pace === 'asap') {
      // The recording is held back while so many wait: who sent its first request then gives up as its second one is read.
      const { unanswered = 0, 'timed-out': late = 0, ...others } = buckets;
      expect(others).toEqual({});
      expect(unanswered + late).toBe(2 * SHORT);
      expect(late).toBeLessThan(SHORT / 20);
    } else expect(buckets['unanswered']).toBeGreaterThanOrEqual(SHORT);
    expect(run.took).toBeLessThan(30_000);
  });

  it('resets every other connection: those are counted so, the others come through', async () => {
    const endpoint = await target((socket, count) => {
      socket.on('data', () => (count % 2 === 0 ? socket.resetAndDestroy() : socket.write('fine')));
    });
    const { run, buckets } = await replay(short, endpoint, { pace });
    expect(run.code).toBe(0);
    expect(buckets['answered']).toBeGreaterThan(SHORT / 2);
    expect(buckets['reset']).toBeGreaterThan(SHORT / 4);
    expect(run.took).toBeLessThan(30_000);
  });

  it('goes away half-way: what was answered is, the rest is refused or reset', async () => {
    const endpoint = await target((socket, count) => {
      socket.on('data', () => socket.write('fine'));
      if (count < SHORT / 4) return;
      server?.close();
      for (const each of sockets) each.resetAndDestroy();
    });
    const { run, buckets } = await replay(short, endpoint, { pace });
    expect(run.code).toBe(0);
    expect(buckets['answered']).toBeGreaterThan(0);
    expect((buckets['refused'] ?? 0) + (buckets['reset'] ?? 0)).toBeGreaterThan(0);
    expect(run.took).toBeLessThan(30_000);
  });
});
