/** Root only as long as it takes to open the sockets: then another user, with one capability, and copying goes on. */
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'vitest';
import type { Lab } from './lab/lab.ts';
import { arrived, perfect, STANDARD_ARGS } from './lab/live-copy.ts';
import { Nginx } from './lab/nginx.ts';
import { CONTROL_PORT } from './lab/plan.ts';
import { startIntercept, startTcpcopy, stopTcpcopy, type RunningProgram } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { runWrk, Wrk } from './lab/wrk.ts';

const USER = ['--user', 'nobody'];
const NOBODY = 65_534;
const CAP_NET_RAW = 1n << 13n;

/** What the kernel says of a process: its users, its groups, its capabilities. */
function rightsOf({ child }: RunningProgram) {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  const field = (name: string): string => new RegExp(`^${name}:[\\t ]*(.*)$`, 'm').exec(status)![1]!;
  return {
    users: [...new Set(field('Uid').split(/\s+/))],
    groups: [...new Set([...field('Gid').split(/\s+/), ...field('Groups').split(/\s+/)])].filter((id) => id !== ''),
    capabilities: ['CapPrm', 'CapEff', 'CapInh', 'CapAmb'].map((set) => BigInt(`0x${field(set)}`)),
    canGetNoOther: field('NoNewPrivs'),
  };
}

function hasLeastRights(program: RunningProgram): void {
  expect(rightsOf(program), program.name).toEqual({
    users: [String(NOBODY)],
    groups: [String(NOBODY)],
    // Programs that they start get none of it.
    capabilities: [CAP_NET_RAW, CAP_NET_RAW, 0n, 0n],
    canGetNoOther: '1',
  });
}

/** As systemd starts them by examples/systemd: no root from the first moment on, and one capability. */
const LEAST = ['--inh-caps', '--ambient-caps', '--bounding-set'].map((set) => `${set}=-all,+net_raw`);
const AS_A_SERVICE = [
  ...['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...LEAST, '--no-new-privs'],
];

describeLab('without the rights of root', () => {
  labTest('--user: both programs copy on as nobody, with CAP_NET_RAW only', {}, async (lab) => {
    giveToNobody(lab);
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    const intercept = await startIntercept(lab.host('assistant'), ['-i', 'back', ...USER]);
    const tcpcopy = await startTcpcopy(lab.host('online'), [...STANDARD_ARGS, ...USER]);
    const load = { address: lab.host('online').on('front').v4, rate: 300, connections: 8, seconds: 2 };
    const loads = [true, false].map((short) => new Wrk(lab.host('client'), { ...load, short, tag: `short-${short}` }));
    for (const wrk of loads) expect((await wrk.finished()).errors).toBeUndefined();
    await arrived(online, test);
    for (const program of [intercept, tcpcopy]) hasLeastRights(program);
    const { stopped, summary } = await stopTcpcopy(tcpcopy);
    expect((await intercept.stop()).code).toBe(0);
    perfect({ online: online.records(), test: test.records(), stopped, summary });
    expect(online.records().length).toBeGreaterThan(500);
  });

  labTest('started as nobody with CAP_NET_RAW, as a service, they copy all the same', {}, async (lab) => {
    giveToNobody(lab);
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    const intercept = await startIntercept(lab.host('assistant'), ['-i', 'back'], CONTROL_PORT, AS_A_SERVICE);
    const tcpcopy = await startTcpcopy(lab.host('online'), [...STANDARD_ARGS, '--metrics', '9464'], AS_A_SERVICE);
    const address = lab.host('online').on('front').v4;
    await runWrk(lab.host('client'), { address, rate: 300, connections: 8, seconds: 1 });
    await arrived(online, test);
    expect(lab.host('online').sh('curl -sS http://127.0.0.1:9464/healthz')).toBe('ok\n');
    const page = lab.host('online').sh('curl -sS http://127.0.0.1:9464/metrics');
    const captured = Number(/^tcpcopy_requests_captured_total (\d+)$/m.exec(page)?.[1]);
    for (const program of [intercept, tcpcopy]) hasLeastRights(program);
    const { stopped, summary } = await stopTcpcopy(tcpcopy);
    expect((await intercept.stop()).code).toBe(0);
    perfect({ online: online.records(), test: test.records(), stopped, summary });
    expect(summary.requests.captured).toBe(captured);
    expect(captured).toBeGreaterThan(100);
  });
});

/** Where both programs write, and the way there. */
function giveToNobody(lab: Lab): void {
  const ours = [lab.host('online').directory, lab.host('assistant').directory];
  for (const each of ours) chownSync(each, NOBODY, NOBODY);
  chmodSync(dirname(ours[0]!), 0o755);
}
