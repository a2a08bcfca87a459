/** Bad use: one line that says where, what, and what to do; exit code 2; nothing sent. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Lab } from './lab/lab.ts';
import { ASSISTANT, STANDARD_ARGS, TARGET } from './lab/live-copy.ts';
import type { HostName } from './lab/plan.ts';
import { builtProgram, RunningProgram, startIntercept, type ProgramName } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { bash } from './lab/shell.ts';

/** Runs a program that must refuse, and gives the one line it says. */
async function refusal(lab: Lab, host: HostName, name: ProgramName, args: readonly string[]): Promise<string> {
  const program = new RunningProgram(name, lab.host(host), args);
  const timer = setTimeout(() => program.child.kill('SIGKILL'), 60_000);
  const { code } = await program.child.exited;
  clearTimeout(timer);
  const lines = program.output.split('\n').filter((line) => line !== '' && !/: note: /.test(line));
  expect({ args, code, lines }).toMatchObject({ code: 2, lines: [expect.any(String)] });
  return lines[0]!;
}

describeLab('bad use', () => {
  labTest('tcpcopy refuses with one line', {}, async (lab) => {
    await startIntercept(lab.host('assistant'));
    const rest = ['-x', TARGET, '-s', ASSISTANT];
    const cases: readonly (readonly [args: readonly string[], said: RegExp])[] = [
      [[...rest, '-i', 'eth77'], /eth77.*\[E_DEVICE\]/],
      [['-x', '80', '-s', ASSISTANT], /-x.*no target.*\[E_MAPPING\]/],
      [['-x', '80-10.77.2.2', '-s', ASSISTANT], /-x.*\[E_MAPPING\]/],
      [[...rest, '-c', '10.1.2'], /-c.*\[E_CLIENT_ADDRESS\]/],
      [[...rest, '-c', 'fd77:100::/120'], /-c.*\[E_CLIENT_ADDRESS\]/],
      [[...rest, '-F', 'tcp prot 80'], /-F.*\[E_FILTER\]/],
      [[...rest, '-i', lab.host('online').file('none.pcap')], /none\.pcap/],
      [[...rest, '-n', '5000'], /-n.*\[E_OPTION\]/],
      [[...rest, '--no-such'], /--no-such.*\[E_USAGE\]/],
      // Nobody listens there.
      [['-x', TARGET, '-s', `${ASSISTANT}:4`], /10\.77\.2\.3:4.*\[E_INTERCEPT_UNREACHABLE\]/],
    ];
    const said = await Promise.all(cases.map(([args]) => refusal(lab, 'online', 'tcpcopy', args)));
    for (const [i, [, wanted]] of cases.entries()) expect(said[i]).toMatch(wanted);
  });

  labTest('a recording that is none', {}, async (lab) => {
    const file = lab.host('online').file('text.pcap');
    writeFileSync(file, 'this is no recording\n'.repeat(10));
    const args = ['-i', file, '-x', '80-127.0.0.1:8080', '--target', 'socket'];
    expect(await refusal(lab, 'online', 'tcpcopy', args)).toMatch(/text\.pcap.*\[E_CAPTURE_FORMAT\]/);
  });

  labTest('no permission', {}, async (lab) => {
    await startIntercept(lab.host('assistant'));
    const online = lab.host('online');
    const args = STANDARD_ARGS.join(' ');
    const drop = 'setpriv --bounding-set=-all --inh-caps=-all --reuid=0';
    const said = online.sh(
      `${drop} ${process.execPath} ${builtProgram('tcpcopy')} ${args} 2>&1 && echo code 0 || echo code $?`,
    );
    expect(said).toMatch(/^tcpcopy: .*\[E_PERMISSION\]\ncode 2\n$/);
  });

  labTest('intercept refuses with one line', {}, async (lab) => {
    const intercept = (...args: string[]) => refusal(lab, 'assistant', 'intercept', args);
    expect(await intercept('-i', 'eth77')).toMatch(/eth77.*\[E_DEVICE\]/);
    expect(await intercept('-i', 'back', '-F', 'tcp prot 80')).toMatch(/-F.*\[E_FILTER\]/);
    await startIntercept(lab.host('assistant'));
    expect(await intercept('-i', 'back')).toMatch(/36524.*\[E_LISTEN\]/);
  });

  labTest('something at -s that is no intercept', {}, async (lab) => {
    const host = lab.host('assistant');
    host.spawn('stranger', ['socat', 'TCP-LISTEN:36524,fork,reuseaddr', 'SYSTEM:echo hello there; sleep 5']);
    await host.listening(36524);
    expect(await refusal(lab, 'online', 'tcpcopy', STANDARD_ARGS)).toMatch(/10\.77\.2\.3.*\[E_CONTROL_PROTOCOL\]/);
  });

  labTest('an intercept of another version', {}, async (lab) => {
    const host = lab.host('assistant');
    // The program as built, but for its version of the control channel.
    const root = fileURLToPath(new URL('../..', import.meta.url));
    bash(`
      cp -r ${root}/dist ${root}/package.json ${host.file('.')}
      ln -s ${root}/node_modules ${root}/prebuilds ${host.file('.')}
      sed -i -E 's/(PROTOCOL_(MIN|MAX) = )[0-9]+/\\199/' ${host.file('dist/src/control/protocol.js')}`);
    host.spawn('other', [process.execPath, host.file('dist/src/cli/intercept.js'), '-i', 'back']);
    await host.listening(36524);
    expect(await refusal(lab, 'online', 'tcpcopy', STANDARD_ARGS)).toMatch(/10\.77\.2\.3.*99.*\[E_CONTROL_VERSION\]/);
  });
});
