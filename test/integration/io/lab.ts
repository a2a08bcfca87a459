/**
 * A network namespace with a veth pair inside: what leaves through `io-a` arrives on `io-b`. Scenarios run in it as
 * processes of their own, since a process cannot enter a namespace by itself.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { loadRawSocket } from '../../../src/inject/raw-socket-module.ts';

export const isRoot = process.getuid?.() === 0;
/** Some scenarios make frames, or devices, with it. */
export const hasPython = spawnSync('python3', ['--version']).status === 0;

/** Whether `--io pcap` can run; not loaded here: `cap` cannot be loaded twice in one process. */
export function portableIsBuilt(): boolean {
  try {
    createRequire(import.meta.url).resolve('cap/build/Release/cap.node');
    return !('reason' in loadRawSocket());
  } catch {
    return false;
  }
}

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** What scenarios are run with. */
export interface Runtime {
  /** Command line that begins Node. */
  readonly node: readonly string[];
  /** Where they and the sources are taken from, compiled; default: this tree. */
  readonly compiled?: string;
}

const PLAIN: Runtime = { node: [process.execPath] };

export interface Lab {
  readonly namespace: string;
  ip(...args: string[]): string;
  sh(command: string): string;
  /** Runs `scenarios.ts NAME…` in the namespace and returns what it printed as JSON. */
  run(scenario: string, file?: string): Promise<Record<string, unknown>>;
  remove(): void;
}

export function makeLab(tag: string, runtime = PLAIN): Lab {
  const namespace = `io-${tag}-${process.pid}`;
  const inside = (command: string, ...args: string[]) =>
    execFileSync('ip', ['netns', 'exec', namespace, command, ...args], { encoding: 'utf8', stdio: 'pipe' });
  const ip = (...args: string[]) => inside('ip', ...args);
  execFileSync('ip', ['netns', 'add', namespace]);
  ip('link', 'set', 'lo', 'up');
  ip('link', 'add', 'io-a', 'address', '02:00:00:00:77:01', 'type', 'veth', 'peer', 'name', 'io-b');
  ip('link', 'set', 'io-b', 'address', '02:00:00:00:77:02');
  for (const device of ['io-a', 'io-b']) {
    // No router solicitations or neighbour discovery in the captures.
    inside('sysctl', '-qw', `net.ipv6.conf.${device}.disable_ipv6=${device === 'io-b' ? 1 : 0}`);
    inside('sysctl', '-qw', `net.ipv6.conf.${device}.addr_gen_mode=1`);
    ip('link', 'set', device, 'up');
  }
  ip('addr', 'add', '10.77.0.1/24', 'dev', 'io-a');
  ip('addr', 'add', 'fd77::1/64', 'dev', 'io-a', 'nodad');
  ip('neigh', 'add', '10.77.0.2', 'lladdr', '02:00:00:00:77:02', 'dev', 'io-a', 'nud', 'permanent');
  ip('neigh', 'add', 'fd77::2', 'lladdr', '02:00:00:00:77:02', 'dev', 'io-a', 'nud', 'permanent');
  return {
    namespace,
    ip,
    sh: (command) => inside('sh', '-c', command),
    run: (scenario, file = 'scenarios.ts') => runScenario(namespace, runtime, file, scenario),
    remove: () => void execFileSync('ip', ['netns', 'del', namespace]),
  };
}

function runScenario(
  namespace: string,
  { node, compiled }: Runtime,
  file: string,
  scenario: string,
): Promise<Record<string, unknown>> {
  const script =
    compiled === undefined
      ? ['--import', tsx, fileURLToPath(new URL(file, import.meta.url))]
      : [join(compiled, 'test/integration/io', file.replace(/\.ts$/, '.js'))];
  const args = ['netns', 'exec', namespace, ...node, '--expose-gc', ...script, ...scenario.split(' ')];
  const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const deadline = setTimeout(() => child.kill('SIGKILL'), 60_000);
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      clearTimeout(deadline);
      if (code === 0) resolve(JSON.parse(out) as Record<string, unknown>);
      else reject(new Error(`${scenario}: exit ${code ?? signal}\n${out}\n${err}`));
    });
  });
}
