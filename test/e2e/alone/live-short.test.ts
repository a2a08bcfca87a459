/** A connection for each request, 4,000 a second. */
import { expect } from 'vitest';
import { copyLive } from '../lab/live-copy.ts';
import { describeLab, labTest } from '../lab/rig.ts';
import { runWrk } from '../lab/wrk.ts';

describeLab('live, short-lived connections', () => {
  for (const offloads of [true, false])
    labTest(`4,000 new connections/s, offloads ${offloads ? 'on' : 'off'}`, { offloads }, async (lab) => {
      const address = lab.host('online').on('front').v4;
      const { test } = await copyLive(lab, () =>
        runWrk(lab.host('client'), { address, rate: 4_000, connections: 64, seconds: 5, short: true }),
      );
      expect(new Set(test.map((r) => r.connection)).size).toBe(test.length);
    });
});
