/** HTTP in every shape that makes trouble, with a plugin that changes lengths, between two real nginxes. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { loseFrames } from '../support/lossy-recording.ts';
import { ASSISTANT, STANDARD_ARGS, TARGET } from './lab/live-copy.ts';
import { outputOf, type Host } from './lab/host.ts';
import type { Lab } from './lab/lab.ts';
import { Nginx, UPSTREAM_PORT, type NginxOptions } from './lab/nginx.ts';
import { COPY_NET } from './lab/plan.ts';
import { RunningProgram, startIntercept, startTcpcopy, stopTcpcopy } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { ownProgram, RecordingServer } from './lab/servers.ts';
import type { ShapeName, ShapesOptions, ShapesResult } from './lab/shapes-client.ts';
import { WireRecord } from './lab/wire-record.ts';

const HOST = 'online.example';
const NEW_HOST = 'another-name.staging.example';
const PLUGINS = ['--plugin', `http-host-rewrite=${NEW_HOST}`];
const ROUNDS = 6;
const MEGABYTE = 1_000_000;
/** What memory may grow by, beyond what starting took, while 100 MB pass that would be in it if bodies were held. */
const MOST_GROWTH = 64 * MEGABYTE;
const SHAPES: readonly ShapeName[] = [
  ...(['keepAlive', 'pipelined', 'chunked', 'expect', 'bodiless', 'closing'] as const),
  ...(['old', 'absolute', 'tunnel', 'refusedUpgrade', 'large', 'largeChunked'] as const),
];

/** nginx, and behind it a server that takes bodies and upgrades. */
async function startServers(host: Host, options?: NginxOptions): Promise<{ nginx: Nginx; upstream: RecordingServer }> {
  const upstream = await RecordingServer.start(host, { port: UPSTREAM_PORT });
  return { nginx: await Nginx.start(host, options), upstream };
}

async function speak(lab: Lab, options: Partial<ShapesOptions>): Promise<ShapesResult> {
  const address = lab.host('online').on('front').v4;
  const all = { address, shapes: SHAPES, rounds: ROUNDS, largeBody: 100_000, tag: 's', ...options };
  const child = lab.host('client').spawn('shapes', ownProgram('shapes-client.ts', all));
  const { code } = await child.exited;
  const text = outputOf(child).trim();
  if (code !== 0) throw new Error(`the client failed: ${text}`);
  return JSON.parse(text.split('\n').at(-1)!) as ShapesResult;
}

function digests(streams: readonly string[]): string[] {
  return streams.map((stream) => `${stream.slice(0, 60)} ${createHash('sha256').update(stream).digest('hex')}`).sort();
}

function statuses(nginx: Nginx): string[] {
  return nginx
    .records()
    .map(({ id, status }) => `${id} ${status}`)
    .sort();
}

function fingerprints(upstream: RecordingServer): string[] {
  return upstream.records().map(({ id, fingerprint }) => `${id} ${fingerprint}`);
}

async function start(lab: Lab): Promise<RunningProgram> {
  await startIntercept(lab.host('assistant'));
  return startTcpcopy(lab.host('online'), [...STANDARD_ARGS, ...PLUGINS]);
}

describeLab('HTTP', () => {
  labTest('in every shape arrives as it was sent, but for the Host', {}, async (lab) => {
    const online = await startServers(lab.host('online'));
    // It waits for room in the middle of 100 kB, and would drop what it has not read of a client that is gone by then.
    const test = await startServers(lab.host('test'), { sendBuffer: 8_000 });
    const [sentWire, copyWire] = [
      await WireRecord.start(lab.host('online'), 'front'),
      await WireRecord.start(lab.host('test'), 'back'),
    ];
    const tcpcopy = await start(lab);
    const { answered } = await speak(lab, {});
    await test.nginx.settled(1_500);
    await Promise.all([sentWire, copyWire].map((wire) => wire.stop()));
    expect(online.nginx.records()).toHaveLength(answered);
    // Every byte of every connection: framing, trailers, tunnels.
    const sent = await sentWire.clientStreams();
    expect(sent).toHaveLength(ROUNDS * SHAPES.length);
    const wanted = sent.map((stream) => stream.replaceAll(HOST, NEW_HOST));
    expect(digests(await copyWire.clientStreams()), tcpcopy.output).toEqual(digests(wanted));

    const { peakRss } = tcpcopy.usage();
    await speak(lab, { shapes: ['large', 'largeChunked'], rounds: 1, largeBody: 10 * MEGABYTE, tag: 'big' });
    await test.nginx.settled(1_500);
    const { stopped, summary } = await stopTcpcopy(tcpcopy);
    expect(stopped.usage.peakRss - peakRss).toBeLessThan(MOST_GROWTH);
    expect(statuses(test.nginx), stopped.output).toEqual(statuses(online.nginx));
    expect(summary.requests.lost, stopped.output).toBe(0);
    expect(summary.connections.buckets.replayed).toBe(ROUNDS * SHAPES.length + 2);
    const copied = new Map(test.nginx.records().map(({ id, fingerprint }) => [id, fingerprint]));

    // From a recording that lacks frames: what is lost is told, and nothing arrives that was not sent.
    const lossy = lab.host('online').file('lossy.pcap');
    const hit = await loseFrames(sentWire.file, lossy, 80, 23);
    const args = ['-i', lossy, '-x', TARGET, '-s', ASSISTANT, '-c', COPY_NET.pattern, ...PLUGINS];
    const replay = new RunningProgram('tcpcopy', lab.host('online'), args);
    expect((await replay.child.exited).code, replay.output).toBe(0);
    const { balanced, bytes, requests } = replay.summary();
    expect(balanced).toBe(true);
    expect(bytes.missing).toBeGreaterThan(0);
    expect(requests.buckets['capture-gap']).toBeGreaterThan(0);
    const again = test.nginx.records().slice(copied.size);
    const whole = again.filter(({ status }) => status < 400);
    expect(whole.filter(({ id, fingerprint }) => copied.get(id) !== fingerprint)).toEqual([]);
    const untouched = online.nginx
      .records()
      .filter(({ clientPort, id }) => !hit.has(clientPort) && !id.startsWith('big'));
    const arrived = new Set(whole.map(({ id }) => id));
    expect(untouched.length).toBeGreaterThan(0);
    expect(
      untouched.filter(({ id }) => !arrived.has(id)),
      replay.output,
    ).toEqual([]);

    // Bodies, as nginx has read them: each as online, and all of them the first time.
    await Promise.all([online, test].map(({ upstream }) => upstream.stop()));
    const bodies = new Set(fingerprints(online.upstream));
    const received = fingerprints(test.upstream);
    expect(received.filter((body) => !bodies.has(body))).toEqual([]);
    expect(new Set(received)).toEqual(bodies);
    expect(bodies.size).toBeGreaterThan(ROUNDS * 8);
  });
});
