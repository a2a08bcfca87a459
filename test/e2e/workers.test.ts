/** Several processes share the copying: everything arrives once, and one that is killed is replaced. */
import { expect } from 'vitest';
import type { Lab } from './lab/lab.ts';
import { arrived, perfect, STANDARD_ARGS } from './lab/live-copy.ts';
import { Nginx } from './lab/nginx.ts';
import { IO, RunningProgram, startIntercept, stopTcpcopy } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { bash, sleep } from './lab/shell.ts';
import { UNTIL_STOPPED, Wrk } from './lab/wrk.ts';

const SECONDS = 4;
/** After a worker has been replaced: until connections that were open are at a boundary, and for how long all is sound, ms. */
const PICKED_UP = 1_000;
const SOUND = 1_500;

async function start(lab: Lab) {
  const online = await Nginx.start(lab.host('online'));
  const test = await Nginx.start(lab.host('test'));
  await startIntercept(lab.host('assistant'));
  const tcpcopy = new RunningProgram('tcpcopy', lab.host('online'), [...STANDARD_ARGS, '--workers', '2']);
  await tcpcopy.says(/2 workers share/);
  const load = { address: lab.host('online').on('front').v4, rate: 300, connections: 16 };
  const client = lab.host('client');
  const loads = (seconds: number) => [
    new Wrk(client, { ...load, seconds, short: true, tag: 'short' }),
    new Wrk(client, { ...load, seconds, tag: 'long' }),
  ];
  return { online, test, tcpcopy, loads };
}

describeLab('two workers', () => {
  labTest('copy every request once, and stop as one', {}, async (lab) => {
    const { online, test, tcpcopy, loads } = await start(lab);
    for (const wrk of loads(SECONDS)) expect((await wrk.finished()).errors).toBeUndefined();
    await arrived(online, test);
    const { stopped, summary } = await stopTcpcopy(tcpcopy);
    perfect({ online: online.records(), test: test.records(), stopped, summary });
    expect(summary.requests).toMatchObject({ captured: online.records().length, lost: 0 });
    // The kernel dealt the frames out: none was shown to both. libpcap has no such thing, and both look at all.
    if (IO !== 'pcap') expect(summary.sources).toMatchObject([{ name: 'front', frames: summary.frames.seen }]);
  });

  labTest('one is killed: another takes its place, and what was under way is counted', {}, async (lab) => {
    const { online, test, tcpcopy, loads } = await start(lab);
    const running = loads(UNTIL_STOPPED);
    await sleep(2_000);
    const [victim] = bash(`pgrep -P ${tcpcopy.child.pid}`).trim().split('\n');
    const died = Date.now();
    process.kill(Number(victim), 'SIGKILL');
    await tcpcopy.says(/worker \d \(process \d+\) died: SIGKILL.*another takes its place/);
    await tcpcopy.says(/worker \d copies again/);
    const sound = Date.now() + PICKED_UP;
    await sleep(PICKED_UP + SOUND);
    for (const wrk of running) expect((await wrk.stop()).errors).toBeUndefined();
    await arrived(online, test, { patience: 3_000 });
    const { stopped, summary } = await stopTcpcopy(tcpcopy);

    const records = online.records();
    const opened = new Map<string, number>();
    for (const r of records) if (!opened.has(r.connection)) opened.set(r.connection, r.at);
    perfect(
      { online: records, test: test.records(), stopped, summary },
      // A long connection is picked up again at a boundary; requests of the outage have no copy.
      { optional: (r) => opened.get(r.connection)! < sound && r.at > died - 1_000 && r.at < sound },
    );
    expect(records.filter((r) => r.at > sound).length).toBeGreaterThan(500);
    expect(summary.connections.buckets['worker-lost']).toBeGreaterThan(0);
  });
});
