/** Something that the copy needs is slow: intercept, a plugin, the disk. The online server does not notice. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { inspectFile } from '../../src/replay/inspect-recording.ts';
import { Random } from '../../src/testing/random.ts';
import { outputOf } from './lab/host.ts';
import type { Lab } from './lab/lab.ts';
import { arrived, perfect, STANDARD_ARGS } from './lab/live-copy.ts';
import { MemoryWatch } from './lab/memory-watch.ts';
import { Nginx } from './lab/nginx.ts';
import { RunningProgram, startIntercept, startTcpcopy, stopTcpcopy } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { sleep, until } from './lab/shell.ts';
import { Wrk, type WrkResult } from './lab/wrk.ts';

const SEED = Number(process.env['TEST_SEED'] ?? 1);
const SECONDS = 3;
const RATE = 60;
/** Of what was offered, on a machine that does other things too. */
const LEAST_ONLINE = 0.9;
const MOST_MEMORY = 320;

/** What a plugin does with each request. */
const PLUGINS = [
  {
    title: 'a plugin that answers after 200 ms',
    tap: `tapPromise({ name: 'slow', deadline: 5_000 }, () => new Promise((done) => setTimeout(done, 200)))`,
  },
  { title: 'a plugin that computes for 5 ms', tap: `tap('slow', () => busy(5))` },
];

const plugin = (tap: string): string => `
const busy = (ms) => { for (const end = performance.now() + ms; performance.now() < end;); };
export default { name: 'slow', description: 'Takes its time.', apply(hooks) { hooks.request.${tap}; } };`;

describeLab('slow', () => {
  labTest('an intercept that stops for a while, again and again', {}, async (lab) => {
    const copy = await startCopy(lab);
    const random = new Random(SEED);
    const { child } = copy.intercept;
    let pulses = 0;
    await copy.underLoad(async (over) => {
      for (; !over(); pulses++) {
        child.kill('SIGSTOP');
        await sleep(50 + random.below(600));
        child.kill('SIGCONT');
        await sleep(50 + random.below(300));
      }
    });
    expect(pulses).toBeGreaterThan(3);
    await copy.finish(`${pulses} stops of intercept`);
  });

  for (const { title, tap } of PLUGINS)
    labTest(title, {}, async (lab) => {
      const file = lab.host('online').file('slow.mjs');
      writeFileSync(file, plugin(tap));
      const copy = await startCopy(lab, ['--plugin', file]);
      await copy.underLoad(() => Promise.resolve());
      await copy.finish(title);
    });

  labTest('a disk that is slower than what is recorded', {}, async (lab) => {
    const host = lab.host('online');
    const online = await Nginx.start(host);
    const [pipe, file] = [host.file('pipe'), host.file('recorded.pcapng')];
    execFileSync('mkfifo', [pipe]);
    const script = fileURLToPath(new URL('lab/slow_reader.py', import.meta.url));
    const disk = host.spawn('disk', ['python3', script, pipe, file, '300']);
    const args = ['record', '-i', 'front', '-x', '80', '-w', pipe, '-B', '1'];
    const recorder = new RunningProgram('tcpcopy', host, args);
    await recorder.says(/recording 80/);
    const memory = new MemoryWatch(recorder.child.pid);
    const address = host.on('front').v4;
    // More than waits for a disk in the kernel or, through libpcap, behind it.
    const rate = 150;
    const options = { address, path: '/100k', seconds: SECONDS, rate, connections: 16 };
    const load = await new Wrk(lab.host('client'), options).finished();
    const { most, slope } = memory.stop();
    // What waits for the disk is written, however long that takes: here it becomes a fast one.
    disk.kill('SIGUSR1');
    const { code } = await recorder.stop();
    await until('the disk never ended', () => outputOf(disk).includes('done'));
    const { balanced, frames, recording } = recorder.summary();
    expect({ code, balanced }, recorder.output).toEqual({ code: 0, balanced: true });
    untouched(load, rate);
    const left = await inspectFile(file, () => undefined);
    expect(left.unreadable).toEqual([]);
    expect(left.frames).toBe(recording!.packets);
    // Lost is what there was no room for, and it is counted.
    expect(frames.kernelDropped).toBeGreaterThan(0);
    expect(online.records().length).toBeGreaterThanOrEqual(load.requests);
    expect(most).toBeLessThan(MOST_MEMORY);
    console.log(
      `slow disk: ${load.requests} requests online, p99 ${load.latency.p99} ms; ${left.frames} frames recorded, ` +
        `${frames.kernelDropped} dropped; memory at most ${Math.round(most)} MB, ${slope.toFixed(1)} MB more a minute`,
    );
  });
});

/** The online server answered what it was asked, as fast as it was asked. */
function untouched(load: WrkResult, rate: number): void {
  expect(load.errors).toBeUndefined();
  expect(load.requests).toBeGreaterThan(LEAST_ONLINE * rate * SECONDS);
}

async function startCopy(lab: Lab, extraArgs: readonly string[] = []) {
  const online = await Nginx.start(lab.host('online'));
  const test = await Nginx.start(lab.host('test'));
  const intercept = await startIntercept(lab.host('assistant'));
  const tcpcopy = await startTcpcopy(lab.host('online'), [...STANDARD_ARGS, ...extraArgs]);
  const memory = new MemoryWatch(tcpcopy.child.pid);
  const loads: WrkResult[] = [];

  /** Long and short connections; `meanwhile` is asked to end when they have. */
  const underLoad = async (meanwhile: (over: () => boolean) => Promise<void>): Promise<void> => {
    const load = { address: lab.host('online').on('front').v4, seconds: SECONDS, rate: RATE, connections: 16 };
    const running = [true, false].map(
      (short) => new Wrk(lab.host('client'), { ...load, short, tag: short ? 'short' : 'long' }),
    );
    await meanwhile(() => running.every(({ child }) => child.exit !== undefined));
    for (const wrk of running) loads.push(await wrk.finished());
  };

  const finish = async (title: string): Promise<void> => {
    await arrived(online, test, { patience: 15_000 });
    const { most, slope } = memory.stop();
    const { stopped, summary } = await stopTcpcopy(tcpcopy);
    const records = online.records();
    perfect({ online: records, test: test.records(), stopped, summary });
    for (const load of loads) untouched(load, RATE);
    expect(summary).toMatchObject({ fidelityPercent: 100, requests: { lost: 0 } });
    expect(most).toBeLessThan(MOST_MEMORY);
    const p99 = Math.max(...loads.map(({ latency }) => latency.p99));
    console.log(
      `${title}: ${records.length} requests online, p99 ${p99} ms; ${summary.requests.delivered} copied, ` +
        `${summary.requests.excluded} left out, ${summary.requests.lost} lost; memory at most ${Math.round(most)} MB, ` +
        `${slope.toFixed(1)} MB more a minute`,
    );
  };
  return { intercept, underLoad, finish };
}
