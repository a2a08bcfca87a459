/** Plugins on live traffic to a real nginx: a new Host and a tenth of the connections, the same tenth each time. */
import { expect } from 'vitest';
import type { Lab } from './lab/lab.ts';
import { ASSISTANT, STANDARD_ARGS, TARGET } from './lab/live-copy.ts';
import { runLoad } from './lab/load.ts';
import { Nginx } from './lab/nginx.ts';
import { RunningProgram, startIntercept, startTcpcopy, stopTcpcopy } from './lab/programs.ts';
import type { RequestRecord } from './lab/request-record.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { sleep } from './lab/shell.ts';
import { WireRecord } from './lab/wire-record.ts';

const CONNECTIONS = 4_000;
const PER_CONNECTION = 6;
const HOST = 'staging.example';
const PLUGINS = ['--plugin', `http-host-rewrite=${HOST}`, '--plugin', 'sample=10%', '--seed', '7'];

/** The fingerprint of a request once its Host is another: the length moves along. */
function rewritten(fingerprint: string): string {
  const [, length, rest, host] = /^(\d+) (.*) (\S+)$/.exec(fingerprint)!;
  return `${Number(length) + HOST.length - host!.length} ${rest} ${HOST}`;
}

function idsOf(records: readonly RequestRecord[]): Set<string> {
  return new Set(records.map(({ id }) => id));
}

/** Runs the load, copies it live and records what passes on both sides meanwhile. */
async function copyAndRecord(lab: Lab, online: Nginx) {
  const recording = await WireRecord.start(lab.host('online'), 'front');
  const copies = await WireRecord.start(lab.host('test'), 'back');
  const tcpcopy = await startTcpcopy(lab.host('online'), [...STANDARD_ARGS, ...PLUGINS]);
  await runLoad(lab.host('client'), {
    address: lab.host('online').on('front').v4,
    ...{ requests: CONNECTIONS * PER_CONNECTION, connections: 32, perConnection: PER_CONNECTION, rate: 4_000 },
  });
  await online.settled(500);
  await sleep(1_500);
  const { summary } = await stopTcpcopy(tcpcopy);
  await Promise.all([recording, copies].map((wire) => wire.stop()));
  return { summary, recording, copies };
}

describeLab('plugins', () => {
  labTest('a host rewrite and a sample of the connections', {}, async (lab) => {
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    await startIntercept(lab.host('assistant'));
    const { summary, recording, copies } = await copyAndRecord(lab, online);

    const sent = online.records();
    const copied = test.records();
    expect(sent).toHaveLength(CONNECTIONS * PER_CONNECTION);
    const share = (100 * copied.length) / sent.length;
    expect(share).toBeGreaterThan(8.5);
    expect(share).toBeLessThan(11.5);
    expect(summary.requests.lost).toBe(0);
    expect(summary.requests.excluded).toBe(sent.length - copied.length);

    const expected = new Map(sent.map(({ id, fingerprint }) => [id, rewritten(fingerprint)]));
    expect(copied.filter(({ id, fingerprint }) => expected.get(id) !== fingerprint)).toEqual([]);
    const chosen = idsOf(copied);
    expect(chosen.size).toBe(copied.length);

    // Byte by byte: what was sent on a chosen connection, but for the Host.
    const wanted = (await recording.clientStreams()).filter((stream) => chosen.has(/id=(\S+)/.exec(stream)![1]!));
    expect(await copies.clientStreams()).toEqual(
      wanted.map((stream) => stream.replaceAll('Host: online.example', `Host: ${HOST}`)).sort(),
    );

    const halved = new Map<string, Set<boolean>>();
    for (const { connection, id } of sent) {
      halved.set(connection, (halved.get(connection) ?? new Set()).add(chosen.has(id)));
    }
    expect(halved.size).toBeGreaterThanOrEqual(CONNECTIONS);
    expect([...halved.values()].filter((answers) => answers.size > 1)).toEqual([]);

    // The same traffic again, from the recording: the same connections.
    const args = ['-i', recording.file, '-x', TARGET, '-s', ASSISTANT, '-c', '192.168.100.x', ...PLUGINS];
    const again = new RunningProgram('tcpcopy', lab.host('online'), args);
    expect((await again.child.exited).code, again.output).toBe(0);
    expect(idsOf(test.records().slice(copied.length))).toEqual(chosen);
  });
});
