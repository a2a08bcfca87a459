/** A plugin that looks at what two real nginxes respond, live: every response of both, whole, also where packets get lost. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { Drop } from './lab/faults.ts';
import type { Lab } from './lab/lab.ts';
import { copyLive } from './lab/live-copy.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { runWrk, type WrkOptions } from './lab/wrk.ts';

/** Larger than a segment, and than the first window. */
const CONTENT = randomBytes(30_000);
const HASH = createHash('sha256').update(CONTENT).digest('hex');

/** One line of what the plugin writes: an exchange. */
interface Line {
  readonly id: string;
  readonly target: readonly [number, string] | null;
  readonly online: readonly [number, string] | null;
  readonly targetTime: number;
}

const plugin = (output: string): string => `
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { definePlugin } from 'tcpcopy/plugin';

const told = (r?: { status: number; body: Uint8Array | undefined }) =>
  r && [r.status, r.body && createHash('sha256').update(r.body).digest('hex')];

export default definePlugin({
  name: 'look',
  description: 'Writes down what both servers respond.',
  protocol: 'http',
  apply(hooks) {
    const lines: string[] = [];
    let seen = 0;
    hooks.http.responseHead.tap('look', (head) => head.wantBody());
    hooks.http.response.tap('look', (response, { origin }) => {
      if (origin === 'target' && response.status === 200) seen++;
    });
    hooks.http.exchange.tap('look', ({ request, target, online, targetTime }) => {
      const id = request.query.get('id');
      lines.push(JSON.stringify({ id, target: told(target) ?? null, online: told(online) ?? null, targetTime }));
    });
    hooks.stats.tap('look', (context) => context.figure('responses with 200', seen));
    hooks.shutdown.tap('look', () => writeFileSync(${JSON.stringify(output)}, lines.join('\\n')));
  },
});
`;

/** Copies a load while the plugin looks, and checks that it saw everything. */
async function look(lab: Lab, load: Partial<WrkOptions>): Promise<void> {
  const online = lab.host('online');
  const [source, output] = [online.file('look.ts'), online.file('exchanges.jsonl')];
  writeFileSync(source, plugin(output));
  const { summary, test } = await copyLive(
    lab,
    () => {
      for (const host of [online, lab.host('test')]) writeFileSync(host.file('www/content'), CONTENT);
      return runWrk(lab.host('client'), { address: online.on('front').v4, path: '/content', connections: 16, ...load });
    },
    { extraArgs: ['--plugin', source], patience: 20_000 },
  );
  expect(test.length).toBeGreaterThan(100);

  const lines = readFileSync(output, 'utf8')
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  expect(new Set(lines.map(({ id }) => id))).toEqual(new Set(test.map(({ id }) => id)));
  expect(lines).toHaveLength(test.length);
  const whole = [200, HASH];
  expect(lines.filter(({ target }) => JSON.stringify(target) !== JSON.stringify(whole))).toEqual([]);
  // wrk breaks off the requests it is at when its time is over: their responses are cut.
  const compared = lines.filter((line) => line.online !== null);
  expect(compared.filter((line) => JSON.stringify(line.online) !== JSON.stringify(whole))).toEqual([]);
  expect(lines.length - compared.length).toBeLessThanOrEqual(16);
  expect(Math.min(...lines.map(({ targetTime }) => targetTime))).toBeGreaterThan(0);

  expect(summary.requests.buckets).toMatchObject({ answered: test.length });
  expect(summary.target.sessionsUnread).toEqual({ cut: 0, 'not-understood': 0, 'plugin-error': 0 });
  expect(summary.plugins.find(({ name }) => name === 'look')!.figures).toEqual([
    { name: 'responses with 200', value: test.length, unit: null },
  ]);
}

describeLab('responses', () => {
  labTest('of a keep-alive load', {}, (lab) => look(lab, { rate: 500, seconds: 4 }));

  labTest('with 1 % of packets lost both ways', { offloads: false }, async (lab) => {
    const drops = (['ingress', 'egress'] as const).map(
      (hook) =>
        new Drop(lab.host('test'), {
          device: 'back',
          hook,
          match:
            hook === 'ingress' ? 'ip saddr 192.168.100.0/24 tcp dport 80' : 'ip daddr 192.168.100.0/24 tcp sport 80',
          percent: 1,
        }),
    );
    await look(lab, { rate: 100, seconds: 4 });
    for (const drop of drops) expect(drop.dropped()).toBeGreaterThan(3);
  });
});
