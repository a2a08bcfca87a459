/**
 * Trouble while 2,000 requests a second are copied: whole connections are left out, the caps hold, every request is
 * accounted for, and all is copied again when it is over.
 */
import { expect } from 'vitest';
import type { ShedReason } from '../../../src/report/ledger.ts';
import type { AilingServerOptions } from '../lab/ailing-server.ts';
import type { Lab } from '../lab/lab.ts';
import { STANDARD_ARGS } from '../lab/live-copy.ts';
import { Nginx } from '../lab/nginx.ts';
import { startIntercept, startTcpcopy, stopTcpcopy, type RunningProgram } from '../lab/programs.ts';
import { describeLab, labTest } from '../lab/rig.ts';
import { AilingServer } from '../lab/servers.ts';
import { sleep, until, type Child } from '../lab/shell.ts';
import { UNTIL_STOPPED, Wrk } from '../lab/wrk.ts';

/** What a target in trouble may cost beside what copying costs anyway. */
const EXTRA_MEMORY = 100 << 20;
const MOST_SESSIONS = 5_000;

const CASES: readonly {
  readonly illness: AilingServerOptions['illness'];
  readonly reason: ShedReason;
  args?: string[];
}[] = [
  { illness: 'hang', reason: 'target-silent' },
  { illness: 'slow', reason: 'target-slow' },
  { illness: 'reset', reason: 'target-failing' },
  // A plugin that looks at responses has them read.
  { illness: 'error', reason: 'target-failing', args: ['--plugin', 'log,responses,file=/dev/null'] },
];

describeLab('the governor', () => {
  for (const { illness, reason, args = [] } of CASES)
    labTest(`spares a target that is ill: ${illness}`, {}, async (lab) => {
      const target = await AilingServer.start(lab.host('test'), illness);
      const { tcpcopy, load, sessions } = await begin(lab, args);
      await sleep(1_000);
      const { rss } = tcpcopy.usage();
      target.fallIll();
      await shedding(tcpcopy, true);
      await sleep(2_000);
      const { peakRss } = tcpcopy.usage();
      target.getWell();
      await shedding(tcpcopy, false);
      for (const wrk of load) expect((await wrk.stop()).errors).toBeUndefined();
      const { summary } = await stopTcpcopy(tcpcopy);
      const { afterwards } = await target.stop();

      expect(summary.requests.shed[reason]).toBeGreaterThan(0);
      expect(sum(summary.requests.shed)).toBe(summary.requests.buckets.shed);
      expect(summary.governor).toMatchObject({ share: 1, reason: null });
      expect(peakRss - rss).toBeLessThan(EXTRA_MEMORY);
      expect(sessions()).toBeLessThan(MOST_SESSIONS);
      expect(afterwards).toBeGreaterThan(0);
    });

  labTest('spares a host whose processors others need', {}, async (lab) => {
    await Nginx.start(lab.host('test'));
    const { tcpcopy, load } = await begin(lab, ['--max-host-cpu', '90']);
    await sleep(1_000);
    const busy = [1, 2].map(() => lab.host('online').spawn('busy', ['bash', '-c', 'while :; do :; done']));
    await shedding(tcpcopy, true);
    await end(busy);
    for (const wrk of load) expect((await wrk.stop()).errors).toBeUndefined();
    const { summary } = await stopTcpcopy(tcpcopy);
    expect(summary.requests.shed['host-cpu']).toBeGreaterThan(0);
    expect(sum(summary.requests.shed)).toBe(summary.requests.buckets.shed);
  });
});

interface Copying {
  readonly tcpcopy: RunningProgram;
  readonly load: readonly Wrk[];
  /** Most sessions that were open at once, by the lines of figures. */
  sessions(): number;
}

async function begin(lab: Lab, args: readonly string[]): Promise<Copying> {
  await Nginx.start(lab.host('online'));
  await startIntercept(lab.host('assistant'));
  const tcpcopy = await startTcpcopy(lab.host('online'), [...STANDARD_ARGS, '--summary-interval', '1', ...args]);
  const client = lab.host('client');
  const address = lab.host('online').on('front').v4;
  const load = [true, false].map(
    (short) => new Wrk(client, { address, rate: 1_000, seconds: UNTIL_STOPPED, short, tag: short ? 'short' : 'long' }),
  );
  const sessions = (): number =>
    Math.max(
      ...[...tcpcopy.output.matchAll(/copied +([\d,]+) sessions?/g)].map(([, n]) => Number(n!.replaceAll(',', ''))),
    );
  return { tcpcopy, load, sessions };
}

/** Waits for a line of figures that says so. */
async function shedding(tcpcopy: RunningProgram, wanted: boolean): Promise<void> {
  const lines = (): string[] => tcpcopy.output.split('\n').filter((line) => line.includes('requests/s'));
  const { length } = lines();
  await until(
    () => `it ${wanted ? 'never sheds' : 'never stops shedding'}:\n${tcpcopy.output}`,
    () =>
      lines()
        .slice(length)
        .some((line) => line.includes('SHEDDING') === wanted),
  );
}

async function end(children: readonly Child[]): Promise<void> {
  for (const child of children) await child.stop('SIGKILL');
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}
