/** How runs end: quickly, with the summary, whatever is under way. */
import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { STANDARD_ARGS } from './lab/live-copy.ts';
import { Nginx } from './lab/nginx.ts';
import { builtProgram, IO_ARGS, startIntercept, startTcpcopy } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { bash, until } from './lab/shell.ts';
import { UNTIL_STOPPED, Wrk } from './lab/wrk.ts';

describeLab('stopping', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    labTest(`${signal} under load ends within 3 s with the summary`, {}, async (lab) => {
      await Nginx.start(lab.host('online'));
      const test = await Nginx.start(lab.host('test'));
      const intercept = await startIntercept(lab.host('assistant'));
      const tcpcopy = await startTcpcopy(lab.host('online'), STANDARD_ARGS);
      const address = lab.host('online').on('front').v4;
      const wrk = new Wrk(lab.host('client'), { address, rate: 1_000, seconds: UNTIL_STOPPED, short: true });
      await until('a thousand copies', () => test.records().length > 1_000);
      const stopped = await tcpcopy.stop(signal);
      expect(stopped).toMatchObject({ code: 0, signal: null });
      expect(stopped.took).toBeLessThan(3_000);
      const summary = tcpcopy.summary();
      expect(summary.balanced).toBe(true);
      expect(summary.requests.delivered).toBeGreaterThan(1_000);
      expect(stopped.output).toContain(`Arrived       ${summary.requests.delivered.toLocaleString('en-US')} requests`);
      const interceptStopped = await intercept.stop(signal);
      expect(interceptStopped).toMatchObject({ code: 0, signal: null });
      expect(interceptStopped.took).toBeLessThan(3_000);
      expect((await wrk.stop()).errors).toBeUndefined();
    });

  labTest('what the kernel still holds at the stop is not lost', {}, async (lab) => {
    await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    await startIntercept(lab.host('assistant'));
    const tcpcopy = await startTcpcopy(lab.host('online'), STANDARD_ARGS);
    // Frozen while the requests go by, and told to stop before it has seen one.
    tcpcopy.child.kill('SIGSTOP');
    lab.host('client').sh('for i in 1 2 3 4 5; do curl -s -o /dev/null http://10.77.1.1/1k?id=last$i; done');
    const stopping = tcpcopy.stop('SIGINT');
    tcpcopy.child.kill('SIGCONT');
    expect((await stopping).code).toBe(0);
    expect(
      test
        .records()
        .map((r) => r.id)
        .sort(),
    ).toEqual(['last1', 'last2', 'last3', 'last4', 'last5']);
  });

  labTest('daemons: pid file, log file, and the same end', {}, async (lab) => {
    await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    const [online, assistant] = [lab.host('online'), lab.host('assistant')];
    const files = (host: typeof online, name: string) =>
      [...IO_ARGS, '-d', '-l', host.file(`${name}.log`), '-P', host.file(`${name}.pid`)].join(' ');
    // The command returns when the program copies, not before, and its exit code says so.
    assistant.sh(`${process.execPath} ${builtProgram('intercept')} -i back ${files(assistant, 'intercept')}`);
    online.sh(`${process.execPath} ${builtProgram('tcpcopy')} ${STANDARD_ARGS.join(' ')} ${files(online, 'tcpcopy')}`);
    lab.host('client').sh('curl -s -o /dev/null http://10.77.1.1/1k?id=once');
    await until('the copy of one request', () => test.records().length === 1);
    for (const [host, name] of [
      [online, 'tcpcopy'],
      [assistant, 'intercept'],
    ] as const) {
      const pid = Number(readFileSync(host.file(`${name}.pid`), 'utf8'));
      expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).toContain(name);
      process.kill(pid, 'SIGTERM');
      await until(`${name} to end`, () => !existsSync(`/proc/${pid}`), 8_000);
      expect(existsSync(host.file(`${name}.pid`))).toBe(false);
    }
    expect(readFileSync(online.file('tcpcopy.log'), 'utf8')).toMatch(/copying 80/);
    expect(bash(`grep -c . ${assistant.file('intercept.log')}`).trim()).not.toBe('0');
  });
});
