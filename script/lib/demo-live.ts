/** Four hosts, real servers, real load: a live copy, then a replay of a recording of the same load. */
import { withLab, type Lab } from '../../test/e2e/lab/lab.ts';
import { arrived, STANDARD_ARGS } from '../../test/e2e/lab/live-copy.ts';
import { outputOf } from '../../test/e2e/lab/host.ts';
import { Nginx } from '../../test/e2e/lab/nginx.ts';
import { RunningProgram, startIntercept, startTcpcopy, stopTcpcopy } from '../../test/e2e/lab/programs.ts';
import type { RequestRecord } from '../../test/e2e/lab/request-record.ts';
import { until, type Child } from '../../test/e2e/lab/shell.ts';
import { compareTraffic } from '../../test/e2e/lab/traffic-check.ts';
import { runWrk } from '../../test/e2e/lab/wrk.ts';
import { AS_ON_A_TERMINAL, command, quote, remark, say, table, title } from './demo-text.ts';

const MAP = `
   client ───────── online server ──copies──▶ test server
   10.77.1.10       10.77.1.1                 10.77.2.2
   wrk              nginx, tcpcopy            nginx
                        ▲                        │ responses to the copies
                        │ control channel        ▼
                        └──────────────── assistant server
                                          10.77.2.3, intercept`;

export async function demonstrateLive(): Promise<void> {
  await withLab({ name: 'demo' }, async (lab) => {
    title('Four hosts, each a network namespace of this machine');
    say(MAP);
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    const recording = lab.host('online').file('recording.pcap');

    title('1. A live copy, with changed client addresses');
    command('test', 'ip route add 192.168.100.0/24 via 10.77.2.3');
    command('assistant', 'intercept -i back');
    const intercept = await startIntercept(lab.host('assistant'));
    command('online', `tcpcopy ${STANDARD_ARGS.join(' ')}`);
    const tcpcopy = await startTcpcopy(lab.host('online'), [...STANDARD_ARGS, ...AS_ON_A_TERMINAL]);
    const tcpdump = await record(lab, recording);
    command('client', 'wrk … http://10.77.1.1/1k');
    remark('5 s: 1,000 requests/s kept alive, and 300 new connections/s');
    const sent = await load(lab);
    await arrived(online, test);
    const { stopped } = await stopTcpcopy(tcpcopy);
    await tcpdump.stop('SIGINT');
    const liveRecords = test.records();
    const livePerfect = show(sent, online.records(), liveRecords);
    say("\ntcpcopy's own account, the ledger:");
    quote(stopped.output);

    title('2. The same load again, from a recording');
    command('online', 'tcpdump -i front -w recording.pcap port 80');
    remark('made during part 1');
    const args = ['-i', recording, ...STANDARD_ARGS.slice(0, 6), '--pace', 'capture', '-a', '2'];
    command('online', `tcpcopy ${args.join(' ').replace(recording, 'recording.pcap')}`);
    const replay = new RunningProgram('tcpcopy', lab.host('online'), [...args, ...AS_ON_A_TERMINAL]);
    const { code } = await replay.child.exited;
    if (code !== 0) throw new Error(`the replay ended with ${code}:\n${replay.output}`);
    await test.settled();
    const replayPerfect = show(sent, online.records(), test.records().slice(liveRecords.length));
    quote(replay.output);
    await intercept.stop();

    title('3. Did anybody outside notice?');
    const { violations } = await lab.guard.finish();
    table([['Packets of tcpcopy or the test server that reached the client', violations.length]]);
    if (violations.length > 0 || !livePerfect || !replayPerfect) throw new Error('the copy was not perfect');
    say('\nEvery request arrived exactly once, unaltered and in order.');
    say('Nothing of this is left on the machine.');
  });
}

async function load(lab: Lab): Promise<number> {
  const client = lab.host('client');
  const address = lab.host('online').on('front').v4;
  const results = await Promise.all([
    runWrk(client, { address, rate: 1_000, connections: 16, seconds: 5, tag: 'kept' }),
    runWrk(client, { address, rate: 300, connections: 8, seconds: 5, tag: 'short', short: true }),
  ]);
  return results.reduce((n, r) => n + r.requests, 0);
}

async function record(lab: Lab, file: string): Promise<Child> {
  const tcpdump = lab
    .host('online')
    .spawn('tcpdump', ['tcpdump', '-i', 'front', '--immediate-mode', '-U', '-B', '65536', '-w', file, 'tcp port 80']);
  await until('tcpdump', () => outputOf(tcpdump).includes('listening on'));
  return tcpdump;
}

function show(answered: number, online: readonly RequestRecord[], test: readonly RequestRecord[]): boolean {
  const d = compareTraffic(online, test);
  say();
  table([
    ['Requests that the clients got an answer to', answered],
    ['Requests that reached the online server (its access log)', d.online],
    ['Requests that reached the test server (its access log)', d.test],
    ['Lost on the way to the test server', d.missing.length],
    ['Arrived more than once', d.duplicate.length],
    ['Altered', d.altered.length],
    ['Out of order within their connection', d.outOfOrder.length + d.mixed.length],
  ]);
  return [d.missing, d.duplicate, d.altered, d.outOfOrder, d.mixed, d.foreign].every((ids) => ids.length === 0);
}
