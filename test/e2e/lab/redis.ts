/** A real redis-server (Debian's) on a host of the lab, with what its MONITOR shows. */
import { readFileSync } from 'node:fs';
import type { Host } from './host.ts';
import { outputOf } from './host.ts';
import { bash, until, type Child } from './shell.ts';

export const REDIS_PORT = 6379;

/** Why there are no servers here; `undefined` when there are. */
export function redisObstacle(): string | undefined {
  try {
    bash('command -v redis-server redis-cli redis-benchmark');
    return undefined;
  } catch {
    return 'missing programs: redis-server, redis-cli, redis-benchmark (script/setup installs them)';
  }
}

export class RedisServer {
  readonly host: Host;
  readonly #password: string;
  readonly #monitor: Child;

  static async start(host: Host, password: string): Promise<RedisServer> {
    host.spawn('redis', [
      ...['redis-server', '--port', String(REDIS_PORT), '--bind', '*', '--dir', host.directory, '--save', ''],
      ...['--requirepass', password, '--enable-debug-command', 'yes', '--daemonize', 'no'],
    ]);
    await host.listening(REDIS_PORT);
    const monitor = host.spawn('monitor', ['redis-cli', '--no-auth-warning', '-a', password, 'monitor']);
    await until('MONITOR does not begin', () => outputOf(monitor).startsWith('OK'));
    return new RedisServer(host, password, monitor);
  }

  private constructor(host: Host, password: string, monitor: Child) {
    this.host = host;
    this.#password = password;
    this.#monitor = monitor;
  }

  cli(command: string): string {
    return this.host.sh(`redis-cli --no-auth-warning -a '${this.#password}' ${command}`).trim();
  }

  /** Of all keys of all databases with their values. */
  digest(): string {
    return this.cli('debug digest');
  }

  /** How often a command has been called. */
  calls(command: string): number {
    return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(this.cli('info commandstats'))?.[1] ?? 0);
  }

  /** Commands by connection, in order, without logins: what MONITOR shows of those that come over the network. */
  conversations(): string[] {
    const byClient = new Map<string, string[]>();
    for (const line of readFileSync(this.#monitor.outputFile, 'utf8').split('\n')) {
      const [, database, client, command] = /^\d+\.\d+ \[(\d+) (\S+)\] (.*)$/.exec(line) ?? [];
      if (client === undefined || client === 'lua' || client.startsWith('127.0.0.1')) continue;
      if (/^"(AUTH|HELLO)"/i.test(command!)) continue;
      byClient.set(client, [...(byClient.get(client) ?? []), `${database} ${command}`]);
    }
    return [...byClient.values()].map((commands) => commands.join('\n')).toSorted();
  }
}
