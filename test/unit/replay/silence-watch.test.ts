import { describe, expect, it } from 'vitest';
import type { CopyOptions } from '../../../src/config/copy-options.ts';
import { parseCopyOptions } from '../../../src/config/copy-options-schema.ts';
import type { ProbeReport } from '../../../src/control/probe.ts';
import { PROBE_REPORT } from '../../../src/control/protocol.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { SILENT_LOG } from '../../../src/core/log.ts';
import type { Sighting } from '../../../src/core/sighting.ts';
import { addTime, instant, seconds } from '../../../src/core/time.ts';
import { SilenceWatch } from '../../../src/replay/silence-watch.ts';
import { TCP_ACK, TCP_SYN } from '../../../src/wire/segment.ts';
import { CONTEXT } from '../config/options-fixture.ts';

const OPTIONS: CopyOptions = parseCopyOptions(
  { map: ['80-192.0.2.10:8080'], intercept: ['192.0.2.20'], client: ['10.9.8.x'] },
  CONTEXT,
).options;
const PATH = { source: parseIp('10.9.8.1')!, sourcePort: 2048, target: parseIp('192.0.2.10')!, targetPort: 8080 };

const REPORT: ProbeReport = {
  type: PROBE_REPORT,
  token: 1,
  open: false,
  problem: '',
  capturesOn: 'eth0',
  filter: '',
  devices: [],
  foreign: 0,
  sightings: [],
};

const ANSWER: Sighting = {
  kind: 'tcp',
  device: 'eth0',
  outgoing: false,
  taken: false,
  source: PATH.target,
  sourcePort: PATH.targetPort,
  destination: PATH.source,
  destinationPort: PATH.sourcePort,
  flags: TCP_SYN | TCP_ACK,
  seq: 1,
  ack: 1,
  reporter: PATH.target,
  icmpType: 0,
  icmpCode: 0,
};

class Run {
  readonly lines: string[] = [];
  readonly counts = { opened: 0, responses: 0, resets: 0 };
  refused: Record<string, number> = {};
  asked = 0;
  now = instant(0);
  readonly #watch: SilenceWatch;

  constructor(report: ProbeReport | undefined) {
    this.#watch = new SilenceWatch({
      options: OPTIONS,
      log: { ...SILENT_LOG, warn: (line) => void this.lines.push(line) },
      target: Object.assign(this.counts, { paths: () => [PATH] }),
      refusedPackets: () => this.refused,
      intercepts: [
        {
          address: { host: '192.0.2.20', port: 36_524 },
          probe: () => {
            this.asked++;
            return Promise.resolve(report);
          },
        },
      ],
    });
  }

  /** Lets time pass, and what is told be told. */
  async pass(s: number): Promise<void> {
    for (let i = 0; i < s * 10; i++) {
      this.now = addTime(this.now, seconds(0.1));
      this.#watch.tick(this.now);
    }
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
  }
}

describe('SilenceWatch', () => {
  it('says nothing while nobody asks, and while there are answers', async () => {
    const run = new Run(REPORT);
    await run.pass(20);
    run.counts.opened = 9;
    run.counts.responses = 9;
    await run.pass(4);
    run.counts.responses = 10;
    await run.pass(4);
    expect(run.lines).toEqual([]);
    expect(run.asked).toBe(0);
  });

  it('says the likely cause, once, until something was answered', async () => {
    const run = new Run(REPORT);
    await run.pass(1);
    run.counts.opened = 3;
    await run.pass(4);
    expect(run.lines).toEqual([]);
    await run.pass(60);
    expect(run.lines).toEqual([
      "no answer in 5 s to 3 connections; the intercept's host sees none either: likely the test server has no route to " +
        '10.9.8.0/24, or drops them; tcpcopy doctor with the same options says more',
    ]);
    run.counts.responses = 1;
    await run.pass(1);
    run.counts.opened = 4;
    await run.pass(6);
    expect(run.lines).toHaveLength(2);
    expect(run.lines[1]).toMatch(/^no answer in 5 s to 1 connection;/);
  });

  it.each<[string, ProbeReport | undefined, Record<string, number>, number, RegExp]>([
    [
      'a filter',
      { ...REPORT, filter: 'port 81', sightings: [ANSWER] },
      {},
      0,
      /the intercept's filter -F 'port 81' keeps/,
    ],
    [
      'a device',
      { ...REPORT, capturesOn: 'lo', sightings: [ANSWER] },
      {},
      0,
      /on the assistant server: intercept -i eth0;/,
    ],
    ['a firewall', REPORT, { EPERM: 7 }, 0, /this host's firewall drops.*on this host: iptables -I OUTPUT/],
    ['resets', REPORT, {}, 5, /nothing listens on 192\.0\.2\.10 port 8080/],
    ['an old intercept', undefined, {}, 0, /cannot say what it sees: it does not answer probes/],
    ['one without rights', { ...REPORT, problem: 'not permitted' }, {}, 0, /cannot say what it sees: not permitted/],
  ])('names %s', async (_, report, refused, resets, line) => {
    const run = new Run(report);
    await run.pass(1);
    run.counts.opened = 5;
    run.counts.responses = run.counts.resets = resets;
    run.refused = refused;
    await run.pass(6);
    expect(run.lines).toHaveLength(1);
    expect(run.lines[0]).toMatch(line);
  });
});
