/** The intercept dies under load and comes back: what is opened afterwards is copied whole, the rest is accounted for. */
import { expect } from 'vitest';
import { STANDARD_ARGS, arrived, perfect } from './lab/live-copy.ts';
import { Nginx } from './lab/nginx.ts';
import { startIntercept, startTcpcopy, stopTcpcopy } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { sleep } from './lab/shell.ts';
import { UNTIL_STOPPED, Wrk } from './lab/wrk.ts';

/** tcpcopy tries to connect again at least this often, ms; a busy machine takes a while to have it done. */
const RECONNECT = 2_000;
const BUSY = 1_000;

describeLab('intercept restarted under load', () => {
  for (const signal of ['SIGKILL', 'SIGINT', 'SIGSTOP'] as const)
    labTest(`by ${signal}`, {}, async (lab) => {
      const online = await Nginx.start(lab.host('online'));
      const test = await Nginx.start(lab.host('test'));
      const first = await startIntercept(lab.host('assistant'));
      const tcpcopy = await startTcpcopy(lab.host('online'), STANDARD_ARGS);
      const client = lab.host('client');
      const load = { address: lab.host('online').on('front').v4, seconds: UNTIL_STOPPED };
      const loads = [
        new Wrk(client, { ...load, rate: 300, connections: 16, short: true, tag: 'short' }),
        new Wrk(client, { ...load, rate: 300, connections: 16, tag: 'long' }),
      ];
      await sleep(2_000);
      const died = Date.now();
      first.child.kill(signal);
      if (signal !== 'SIGSTOP') await first.child.exited;
      await sleep(2_000);
      // A stalled intercept goes on where it was; a dead one is replaced.
      if (signal === 'SIGSTOP') first.child.kill('SIGCONT');
      else await startIntercept(lab.host('assistant'));
      const back = Date.now();
      await sleep(RECONNECT + 2 * BUSY);
      for (const wrk of loads) expect((await wrk.stop()).errors).toBeUndefined();
      await arrived(online, test, { patience: 2_000 });
      const { stopped, summary } = await stopTcpcopy(tcpcopy);

      const onlineRecords = online.records();
      const opened = new Map<string, number>();
      for (const r of onlineRecords) if (!opened.has(r.connection)) opened.set(r.connection, r.at);
      const result = { online: onlineRecords, test: test.records(), stopped, summary };
      // nginx logs the end of a request; a short connection was opened just before.
      const outage = (at: number) => at > died - 500 && at < back + RECONNECT + BUSY;
      perfect(result, {
        optional: (r) => (r.id.startsWith('long') ? r.at > died - 500 : outage(opened.get(r.connection)!)),
      });
      expect(onlineRecords.filter((r) => r.at > back + RECONNECT + BUSY).length).toBeGreaterThan(100);
      if (signal !== 'SIGSTOP') expect(stopped.output).toMatch(/Intercept .*: away once, /);
      // What did not arrive has a name.
      expect(summary.requests.lost).toBe(summary.requests.captured - summary.requests.delivered);
    });
});
