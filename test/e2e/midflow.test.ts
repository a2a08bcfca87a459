/** Copying that begins in the middle of long connections picks each up at its next request boundary. */
import { expect } from 'vitest';
import { arrived, perfect, STANDARD_ARGS } from './lab/live-copy.ts';
import { Nginx } from './lab/nginx.ts';
import { startIntercept, startTcpcopy, stopTcpcopy } from './lab/programs.ts';
import type { RequestRecord } from './lab/request-record.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { sleep } from './lab/shell.ts';
import { Wrk } from './lab/wrk.ts';

/**
 * A connection already open shows its first boundary when a response has gone by and the client speaks again: so at most
 * the request under way and the first whole one are left out.
 */
const BEFORE_BOUNDARY = 2;
/** What one of the five seconds brings: on a busy machine it takes long until copying begins. */
const ENOUGH = 2_000;

describeLab('midflow', () => {
  labTest('every request from the next boundary on arrives', {}, async (lab) => {
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    await startIntercept(lab.host('assistant'));
    const wrk = new Wrk(lab.host('client'), {
      address: lab.host('online').on('front').v4,
      ...{ rate: 2_000, connections: 32, seconds: 5 },
    });
    await sleep(1_000);
    const tcpcopy = await startTcpcopy(lab.host('online'), STANDARD_ARGS);
    const begun = Date.now();
    const { errors } = await wrk.finished();
    expect(errors).toBeUndefined();
    await arrived(online, test, { patience: 2_000 });
    const { stopped, summary } = await stopTcpcopy(tcpcopy);
    const sent = online.records();
    const early = beforeBoundary(sent, begun);
    const result = { online: sent, test: test.records(), stopped, summary };
    perfect(result, { optional: (record) => early.has(record) });
    expect(result.test.length).toBeGreaterThan(ENOUGH);
  });

  labTest('-O leaves connections alone that were already open', {}, async (lab) => {
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    await startIntercept(lab.host('assistant'));
    const address = lab.host('online').on('front').v4;
    const old = new Wrk(lab.host('client'), { address, rate: 300, connections: 8, seconds: 4, tag: 'old' });
    await sleep(1_000);
    const tcpcopy = await startTcpcopy(lab.host('online'), [...STANDARD_ARGS, '-O']);
    await new Wrk(lab.host('client'), { address, rate: 300, connections: 8, seconds: 2, tag: 'new' }).finished();
    await old.finished();
    await sleep(500);
    const { stopped, summary } = await stopTcpcopy(tcpcopy);
    const fresh = online.records().filter((r) => r.id.startsWith('new'));
    perfect({ online: fresh, test: test.records(), stopped, summary });
    expect(summary.connections.buckets['not-picked-up']).toBe(8);
  });
});

/** The requests that may be left out: those before `begun`, and the first few after it on each connection. */
function beforeBoundary(records: readonly RequestRecord[], begun: number): Set<RequestRecord> {
  const seen = new Map<string, number>();
  return new Set(
    records.filter((record) => {
      if (record.at <= begun) return true;
      const n = (seen.get(record.connection) ?? 0) + 1;
      seen.set(record.connection, n);
      return n <= BEFORE_BOUNDARY;
    }),
  );
}
