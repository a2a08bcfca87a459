/**
 * What wires do to packets, in each place where a copy has a wire: between tcpcopy and the target, between the target and
 * intercept, between the clients and the online server. All of it can be recovered from, so everything is copied. A few rows
 * of the matrix; FAULT_MATRIX=all for each, or a part of a title, such as FAULT_MATRIX='20 %'.
 */
import { expect } from 'vitest';
import { Drop, Relay, type RelayOptions } from './lab/faults.ts';
import type { Host } from './lab/host.ts';
import type { Lab } from './lab/lab.ts';
import { copyLive } from './lab/live-copy.ts';
import { LoadClient } from './lab/load.ts';
import { MemoryWatch } from './lab/memory-watch.ts';
import type { NginxRecord } from './lab/nginx.ts';
import type { HostName } from './lab/plan.ts';
import type { RequestRecord } from './lab/request-record.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { until } from './lab/shell.ts';
import { runWrk } from './lab/wrk.ts';

const CHOSEN = process.env['FAULT_MATRIX'];
const SEED = Number(process.env['TEST_SEED'] ?? 1);
const SECONDS = CHOSEN === undefined ? 3 : 8;
/** Of the load's end: a retransmission timer that doubles, several times over. */
const PATIENCE = 60_000;
/** Over what a run without faults takes, MB. */
const MOST_MEMORY = 320;

const POSTS = { rate: 5, body: 20_000, tag: 'post' } as const;

/** The server answers 408 to a body that has not come on for a minute, which no copier could mend. */
const isGivenUp = (record: RequestRecord): boolean => (record as NginxRecord).status === 408;

const FAULTS: readonly (readonly [title: string, fault: RelayOptions])[] = [
  ...[0.1, 1, 5, 20].map((drop) => [`${drop} % lost`, { drop }] as const),
  ['10 % reordered', { reorder: 10, holdMs: 5 }],
  ['5 % doubled', { duplicate: 5 }],
  ['30 ms later', { delayMs: 30 }],
  ...[1, 5].map((corrupt) => [`${corrupt} % corrupted`, { corrupt }] as const),
  ['a little of each', { drop: 1, reorder: 2, holdMs: 5, duplicate: 1, corrupt: 1, delayMs: 5 }],
];

/** Whose wire it is. A loss on the clients' wire is seen by the capture as it is seen by the server. */
const WIRES: readonly (readonly [title: string, host: HostName])[] = [
  ['tcpcopy and target', 'online'],
  ['target and intercept', 'assistant'],
  ['clients and online server', 'client'],
];

const BEHIND = 'behind the capture';
const SHORT = [
  'tcpcopy and target: a little of each',
  'target and intercept: 5 % corrupted',
  'clients and online server: a little of each',
];
const chosen = (title: string): boolean =>
  CHOSEN === undefined ? SHORT.includes(title) : CHOSEN === 'all' || title.includes(CHOSEN);

describeLab('faults of wires', () => {
  for (const [place, host] of WIRES)
    for (const [fault, options] of FAULTS)
      row(`${place}: ${fault}`, host, async (lab) => {
        const relay = await Relay.start(lab, { ...options, seed: SEED });
        return async () => {
          const { relayed, unsent, ...counts } = await relay.stop();
          expect(unsent).toBe(0);
          expect(relayed).toBeGreaterThan(100);
          return Object.entries(counts).filter(([, n]) => n > 0);
        };
      });
  // The capture sees both the packet that the server never got and the one that the client sent again.
  for (const percent of [1, 20])
    row(`${BEHIND}: ${percent} % lost`, undefined, async (lab) => {
      const match = 'tcp dport 80';
      const drop = new Drop(lab.host('online'), { device: 'front', hook: 'ingress', match, percent });
      return async () => [['dropped', drop.dropped()]];
    });
});

type Fault = (lab: Lab) => Promise<() => Promise<[string, number][]>>;

function row(title: string, relayBefore: HostName | undefined, start: Fault): void {
  if (!chosen(title)) return;
  const timeout = 4 * PATIENCE + SECONDS * 5_000;
  const wires = { offloads: false, ...(relayBefore && { relayBefore }) };
  labTest(
    title,
    wires,
    async (lab) => {
      const end = await start(lab);
      const client = lab.host('client');
      const address = lab.host('online').on('front').v4;
      const load = { address, seconds: SECONDS };
      let unanswered = 0;
      let memory: ReturnType<MemoryWatch['stop']> | undefined;
      const { online, summary } = await copyLive(
        lab,
        async (tcpcopy) => {
          const watch = new MemoryWatch(tcpcopy.child.pid);
          const [long, short, posts] = await Promise.all([
            runWrk(client, { ...load, connections: 16, rate: 100, tag: 'long' }),
            runWrk(client, { ...load, connections: 8, rate: 60, tag: 'short', short: true }),
            // Answered when it has been read: a body that nginx does not want it gives up after five seconds' stall.
            new LoadClient(client, { address, path: '/read', requests: 5 * SECONDS, ...POSTS }).finished(),
          ]);
          memory = watch.stop();
          expect([long.errors, short.errors, posts.errors]).toEqual([undefined, undefined, []]);
          unanswered = posts.sent - posts.answered;
          await allArrived(client);
        },
        { patience: PATIENCE, optional: isGivenUp },
      );
      const givenUp = online.filter(isGivenUp).length;
      expect(unanswered).toBe(givenUp);
      const counts = await end();
      const { fidelityPercent, target, requests } = summary;
      console.log(
        `${title}: ${online.length} requests, ${fidelityPercent} % copied, ledger balanced, online errors ${givenUp}, ` +
          `${target.retransmissions} retransmissions; memory at most ${Math.round(memory!.most)} MB, ` +
          `${memory!.slope.toFixed(1)} MB more a minute; ${counts.map((each) => each.join(' ')).join(', ')}`,
      );
      expect(requests.lost).toBeLessThanOrEqual(givenUp);
      if (givenUp === 0) expect(fidelityPercent).toBe(100);
      expect(memory!.most).toBeLessThan(MOST_MEMORY);
    },
    timeout,
  );
}

/** The server has acknowledged all that the clients sent: their host goes on sending when they have gone. */
async function allArrived(client: Host): Promise<void> {
  const open = () => client.sh('ss -Htn state connected exclude time-wait exclude fin-wait-2').trim();
  await until(
    () => `clients still have connections:\n${open()}`,
    () => open() === '',
    PATIENCE,
  );
}
