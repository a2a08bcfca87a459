/** Packets of ours get lost, doubled and overtaken on their way; the copies arrive all the same. */
import { expect } from 'vitest';
import { Drop, Relay } from './lab/faults.ts';
import type { Lab } from './lab/lab.ts';
import { copyLive, type LiveCopyResult } from './lab/live-copy.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { runWrk } from './lab/wrk.ts';

/** After the load: retransmissions of the last requests, by a timer that doubles from a second (RFC 6298). */
const PATIENCE = 20_000;

describeLab('loss on the way of the copies', () => {
  for (const percent of [1, 5])
    for (const way of ['towards the test server', 'of the responses'] as const)
      labTest(`${percent} % ${way}`, { offloads: false }, async (lab) => {
        const towards = way === 'towards the test server';
        const drop = new Drop(lab.host('test'), {
          device: 'back',
          hook: towards ? 'ingress' : 'egress',
          match: towards ? 'ip saddr 192.168.100.0/24 tcp dport 80' : 'ip daddr 192.168.100.0/24 tcp sport 80',
          percent,
        });
        const { summary } = await copyMixed(lab);
        expect(drop.dropped()).toBeGreaterThan(10 * percent);
        if (towards) expect(summary.target.retransmissions).toBeGreaterThan(0);
      });

  const relayed = { offloads: false, relayBefore: 'online' } as const;

  labTest('5 % reordered, 3 % doubled, 1 % lost, both ways', relayed, async (lab) => {
    const relay = await Relay.start(lab, { reorder: 5, holdMs: 5, duplicate: 3, drop: 1, seed: 11 });
    await copyMixed(lab);
    const counts = await relay.stop();
    expect(Math.min(counts.dropped, counts.reordered, counts.duplicated)).toBeGreaterThan(10);
    expect(counts.unsent).toBe(0);
  });

  labTest('a single lost request segment costs nothing', relayed, async (lab) => {
    const relay = await Relay.start(lab, { losePayload: 20 });
    const address = lab.host('online').on('front').v4;
    const { summary, test } = await copyLive(
      lab,
      () => runWrk(lab.host('client'), { address, connections: 1, rate: 50, seconds: 3 }),
      { patience: PATIENCE },
    );
    expect((await relay.stop()).dropped).toBe(1);
    expect(new Set(test.map((r) => r.connection)).size).toBe(1);
    expect(summary.target.retransmissions).toBeGreaterThanOrEqual(1);
  });
});

/** Long and short connections together, slow enough that a retransmission timer's second does not pile up. */
function copyMixed(lab: Lab): Promise<LiveCopyResult> {
  const client = lab.host('client');
  const address = lab.host('online').on('front').v4;
  return copyLive(
    lab,
    () =>
      Promise.all([
        runWrk(client, { address, connections: 32, rate: 300, seconds: 4, tag: 'long' }),
        runWrk(client, { address, connections: 16, rate: 200, seconds: 4, tag: 'short', short: true }),
      ]),
    { patience: PATIENCE },
  );
}
