/**
 * Floods, scans and malformed packets at the online server: its clients' requests are copied whole meanwhile.
 */
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { arrived, perfect, STANDARD_ARGS } from './lab/live-copy.ts';
import { Nginx } from './lab/nginx.ts';
import { SERVICE_PORT } from './lab/plan.ts';
import { startIntercept, startTcpcopy, stopTcpcopy } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { Wrk } from './lab/wrk.ts';

const SCRIPT = fileURLToPath(new URL('lab/abuse.py', import.meta.url));
const FRAMES = 20_000;
/** What as many half-open connections may cost, bytes. */
const MOST_MEMORY = 96 << 20;

describeLab('abuse of the online server', () => {
  for (const kind of ['flood', 'scan', 'hostile'] as const)
    labTest(`${kind}: ${FRAMES} frames`, { unguarded: ['client'] }, async (lab) => {
      const client = lab.host('client');
      const online = await Nginx.start(lab.host('online'));
      const test = await Nginx.start(lab.host('test'));
      await startIntercept(lab.host('assistant'));
      const tcpcopy = await startTcpcopy(lab.host('online'), STANDARD_ARGS);
      const address = lab.host('online').on('front').v4;
      const load = { address, seconds: 5, rate: 150, connections: 8 };
      const loads = [true, false].map((short) => new Wrk(client, { ...load, short, tag: short ? 'short' : 'long' }));
      const { rss: before } = tcpcopy.usage();
      const mac = lab.host('online').sh('cat /sys/class/net/front/address').trim();
      const args = [kind, 'front', client.on('front').v4, address, mac, SERVICE_PORT, FRAMES, 1];
      expect(Number(client.sh(`python3 ${SCRIPT} ${args.join(' ')}`))).toBeGreaterThan(FRAMES * 0.9);
      for (const wrk of loads) expect((await wrk.finished()).errors).toBeUndefined();
      await arrived(online, test, { patience: 2_000 });
      const grown = tcpcopy.usage().rss - before;
      const { stopped, summary } = await stopTcpcopy(tcpcopy);

      const ofLoads = ({ id }: { id: string }): boolean => /^(short|long)/.test(id);
      const records = online.records().filter(ofLoads);
      const copies = test.records().filter(ofLoads);
      perfect({ online: records, test: copies, stopped, summary });
      expect(records.length).toBeGreaterThan(500);
      expect(grown).toBeLessThan(MOST_MEMORY);
      const dropped = Object.entries(summary.frames.dropped).filter(([, count]) => count > 0);
      console.log(`${kind}: ${grown >> 20} MB more memory; ${dropped.map((each) => each.join(' ')).join(', ')}`);
    });
});
