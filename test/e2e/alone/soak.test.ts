/**
 * Many connections that do nothing beside many that do: everything is copied, and memory stays where it is. A short run of
 * it; SOAK_SECONDS=600 SOAK_IDLE=10000 SOAK_BUSY=1000 for a real one.
 */
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { outputOf } from '../lab/host.ts';
import { copyLive } from '../lab/live-copy.ts';
import { SERVICE_PORT } from '../lab/plan.ts';
import { describeLab, labTest } from '../lab/rig.ts';
import { sleep, until } from '../lab/shell.ts';
import { Wrk } from '../lab/wrk.ts';

const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 15);
const IDLE = Number(process.env['SOAK_IDLE'] ?? 3_000);
const BUSY = Number(process.env['SOAK_BUSY'] ?? 300);
/** Each of the busy ones sends two requests a second. */
const RATE = 2 * BUSY;
const MB = 1 << 20;
/** All of it, the capture's ring of 20 MB included, and what may be put aside of it. */
const MOST_MEMORY = 280 * MB;

describeLab('a soak', () => {
  labTest(
    `${IDLE} idle and ${BUSY} busy connections for ${SECONDS} s`,
    {},
    async (lab) => {
      const client = lab.host('client');
      const address = lab.host('online').on('front').v4;
      const memory: number[] = [];
      const { summary, online } = await copyLive(
        lab,
        async (tcpcopy) => {
          const script = fileURLToPath(new URL('../lab/idle.py', import.meta.url));
          const idle = client.spawn('idle', ['python3', script, address, String(SERVICE_PORT), String(IDLE)]);
          await until('the idle connections never stood', () => outputOf(idle).includes('idle'), 60_000);
          const busy = new Wrk(client, { address, seconds: SECONDS, rate: RATE, connections: BUSY });
          while (busy.child.exit === undefined) {
            await sleep(500);
            memory.push(tcpcopy.usage().rss);
          }
          expect((await busy.finished()).errors).toBeUndefined();
        },
        { nginx: { keepaliveTimeout: 3 * SECONDS + 60 } },
      );
      expect(online.length).toBeGreaterThan(IDLE + (RATE * SECONDS) / 2);
      expect(summary).toMatchObject({ fidelityPercent: 100, requests: { lost: 0 } });
      expect(Math.max(...memory)).toBeLessThan(MOST_MEMORY);
      const [first, last] = [memory.slice(0, 5), memory.slice(-5)].map(median);
      const slope = ((last! - first!) / MB / SECONDS) * 60;
      console.log(`memory ${Math.round(median(memory) / MB)} MB, ${slope.toFixed(1)} MB more a minute`);
    },
    120_000 + SECONDS * 2_000,
  );
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
