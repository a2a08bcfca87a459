/** Targets that hang, refuse, reset or do not read: tcpcopy stays small, says why, and production is not disturbed. */
import { expect } from 'vitest';
import type { UnitBucket } from '../../src/report/ledger.ts';
import type { Lab } from './lab/lab.ts';
import { STANDARD_ARGS } from './lab/live-copy.ts';
import { runLoad } from './lab/load.ts';
import { Nginx } from './lab/nginx.ts';
import { startIntercept, startTcpcopy, stopTcpcopy } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { FaultyServer } from './lab/servers.ts';
import { runWrk } from './lab/wrk.ts';

const MEGABYTES = 1 << 20;
const MEMORY_LIMIT = 32;
const SESSIONS = 500;
/** The limit on session memory, over what Node itself and the capture ring take. */
const RSS_LIMIT = (MEMORY_LIMIT + 250) * MEGABYTES;

interface Case {
  readonly mode: 'hang' | 'refuse' | 'reset' | 'zero-window';
  /** Where at least one request must end up, and nothing may end up but these. */
  readonly buckets: readonly UnitBucket[];
}

const CASES: readonly Case[] = [
  { mode: 'hang', buckets: ['unanswered', 'queue-cap', 'session-cap', 'memory-cap', 'shed', 'shutdown'] },
  { mode: 'refuse', buckets: ['refused', 'shed'] },
  { mode: 'reset', buckets: ['reset', 'refused', 'shed'] },
  {
    mode: 'zero-window',
    buckets: ['unanswered', 'timed-out', 'queue-cap', 'session-cap', 'memory-cap', 'shed', 'shutdown'],
  },
];

describeLab('faulty targets', () => {
  for (const { mode, buckets } of CASES)
    labTest(`a target that does ${mode}`, {}, async (lab) => {
      const online = await Nginx.start(lab.host('online'));
      lab.host('test').sh('sysctl -qw net.ipv4.tcp_rmem="4096 8192 16384"');
      if (mode !== 'refuse') await FaultyServer.start(lab.host('test'), { mode, after: 1 });
      await startIntercept(lab.host('assistant'));
      const limits = ['-m', String(MEMORY_LIMIT), '--max-sessions', String(SESSIONS)];
      const tcpcopy = await startTcpcopy(lab.host('online'), [...STANDARD_ARGS, ...limits]);
      const requests = await load(lab);
      const { stopped, summary } = await stopTcpcopy(tcpcopy);

      expect(online.records().length).toBeGreaterThanOrEqual(requests);
      expect(stopped.usage.peakRss).toBeLessThan(RSS_LIMIT);
      const used = Object.entries(summary.requests.buckets).filter(([, n]) => n > 0);
      const known = new Set<string>(buckets);
      expect(used.filter(([bucket]) => !known.has(bucket))).toEqual([]);
      expect(summary.requests.buckets[buckets[0]!]).toBeGreaterThan(0);
      expect(summary.requests.captured).toBeGreaterThanOrEqual(requests);
    });
});

/** Short and long connections and large uploads; resolves with how many requests production answered. */
async function load(lab: Lab): Promise<number> {
  const client = lab.host('client');
  const address = lab.host('online').on('front').v4;
  const [short, long, posts] = await Promise.all([
    runWrk(client, { address, rate: 300, seconds: 4, short: true, tag: 'short' }),
    runWrk(client, { address, rate: 500, seconds: 4, tag: 'long' }),
    runLoad(client, { address, path: '/post', requests: 80, rate: 20, body: 500_000, tag: 'post' }),
  ]);
  expect([short.errors, long.errors]).toEqual([undefined, undefined]);
  return short.requests + long.requests + posts.answered;
}
