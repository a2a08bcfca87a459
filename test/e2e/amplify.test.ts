/** Several copies of everything (`-n`), also where all of them share one source address. */
import { expect } from 'vitest';
import { copyLive, ASSISTANT, TARGET } from './lab/live-copy.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { runWrk } from './lab/wrk.ts';

describeLab('copies', () => {
  labTest('-n 3 gives each request three times', {}, async (lab) => {
    const address = lab.host('online').on('front').v4;
    const { test, online } = await copyLive(
      lab,
      () => runWrk(lab.host('client'), { address, rate: 1_000, seconds: 3 }),
      { copies: 3, extraArgs: ['-n', '3'] },
    );
    expect(test).toHaveLength(3 * online.length);
  });

  for (const short of [false, true])
    labTest(
      `-n 10 with one -c address and 64 ${short ? 'short' : 'long'} connections loses nothing`,
      {},
      async (lab) => {
        const address = lab.host('online').on('front').v4;
        await copyLive(
          lab,
          () => runWrk(lab.host('client'), { address, connections: 64, rate: short ? 150 : 300, seconds: 3, short }),
          { copies: 10, args: ['-x', TARGET, '-s', ASSISTANT, '-c', '192.168.100.7', '-i', 'front', '-n', '10'] },
        );
      },
    );
});
