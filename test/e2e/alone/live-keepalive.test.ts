/** Long-lived connections at 5,000 requests a second: each request arrives once, unaltered, in order. */
import { copyLive } from '../lab/live-copy.ts';
import { describeLab, labTest } from '../lab/rig.ts';
import { runWrk } from '../lab/wrk.ts';

describeLab('live, keep-alive', () => {
  for (const offloads of [true, false])
    for (const path of ['/1k', '/100k'] as const)
      labTest(
        `5,000 requests/s, responses of ${path}, offloads ${offloads ? 'on' : 'off'}`,
        { offloads },
        async (lab) => {
          const address = lab.host('online').on('front').v4;
          await copyLive(lab, () =>
            runWrk(lab.host('client'), { address, path, rate: 5_000, connections: 32, seconds: 5 }),
          );
        },
      );
});
