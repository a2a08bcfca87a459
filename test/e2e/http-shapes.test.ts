/** HTTP in every shape that makes trouble, with a plugin that changes lengths, between two real nginxes. */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { STANDARD_ARGS } from './lab/live-copy.ts';
import { outputOf, type Host } from './lab/host.ts';
import type { Lab } from './lab/lab.ts';
import { Nginx, UPSTREAM_PORT } from './lab/nginx.ts';
import { startIntercept, startTcpcopy, stopTcpcopy, type RunningProgram } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { ownProgram, RecordingServer } from './lab/servers.ts';
import type { ShapeName, ShapesOptions, ShapesResult } from './lab/shapes-client.ts';
import { WireRecord } from './lab/wire-record.ts';

const HOST = 'online.example';
const NEW_HOST = 'another-name.staging.example';
const ROUNDS = 6;
const MEGABYTE = 1_000_000;
/** What memory may grow by while 100 MB pass: half of it would be in memory if bodies were held. */
const MOST_GROWTH = 64 * MEGABYTE;
const SHAPES: readonly ShapeName[] = [
  ...(['keepAlive', 'pipelined', 'chunked', 'expect', 'bodiless', 'closing'] as const),
  ...(['old', 'absolute', 'tunnel', 'refusedUpgrade', 'large', 'largeChunked'] as const),
];

/** nginx, and behind it a server that takes bodies and upgrades. */
async function startServers(host: Host): Promise<{ nginx: Nginx; upstream: RecordingServer }> {
  const upstream = await RecordingServer.start(host, { port: UPSTREAM_PORT });
  return { nginx: await Nginx.start(host), upstream };
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

function bodies(upstream: RecordingServer): string[] {
  return upstream
    .records()
    .map(({ id, fingerprint }) => `${id} ${fingerprint}`)
    .sort();
}

async function start(lab: Lab): Promise<RunningProgram> {
  await startIntercept(lab.host('assistant'));
  return startTcpcopy(lab.host('online'), [...STANDARD_ARGS, '--plugin', `http-host-rewrite=${NEW_HOST}`]);
}

describeLab('HTTP', () => {
  labTest('in every shape arrives as it was sent, but for the Host', {}, async (lab) => {
    const online = await startServers(lab.host('online'));
    const test = await startServers(lab.host('test'));
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

    const { rss } = tcpcopy.usage();
    await speak(lab, { shapes: ['large', 'largeChunked'], rounds: 1, largeBody: 10 * MEGABYTE, tag: 'big' });
    await test.nginx.settled(1_500);
    const { stopped, summary } = await stopTcpcopy(tcpcopy);
    expect(stopped.usage.peakRss - rss).toBeLessThan(MOST_GROWTH);
    expect(statuses(test.nginx), stopped.output).toEqual(statuses(online.nginx));
    // Bodies, as nginx has read them.
    await Promise.all([online, test].map(({ upstream }) => upstream.stop()));
    expect(bodies(test.upstream).length).toBeGreaterThan(ROUNDS * 8);
    expect(bodies(test.upstream)).toEqual(bodies(online.upstream));
    expect(summary.requests.lost, stopped.output).toBe(0);
    expect(summary.connections.buckets.replayed).toBe(ROUNDS * SHAPES.length + 2);
  });
});
