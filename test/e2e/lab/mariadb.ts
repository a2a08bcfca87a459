/** A real MariaDB server (Debian's) on a host of the lab, with what its general log shows. */
import { readFileSync } from 'node:fs';
import { askMariaDb, makeMariaDbData, mariaDbCommand, mariaDbFiles } from '../../support/mariadb.ts';
import type { Host } from './host.ts';
import { until, type Child } from './shell.ts';

export const MYSQL_PORT = 3306;

/** A line that begins an entry: time where it differs from that before, connection, command, argument. */
const ENTRY = /^(?:\d{6} [ \d]\d:\d\d:\d\d)?\t+ *(\d+) ([A-Z][A-Za-z]*(?: [A-Za-z]+)?)(?:\t(.*))?$/;

export class MariaDbServer {
  readonly host: Host;
  readonly child: Child;
  readonly #data: string;

  /** `template`: data made by `makeMariaDbData`; made anew where there is none, in four times the time. */
  static async start(host: Host, template?: string, more: readonly string[] = []): Promise<MariaDbServer> {
    const data = makeMariaDbData(host.file('mariadb'), template);
    const child = host.spawn('mariadb', mariaDbCommand(data, MYSQL_PORT, more));
    const server = new MariaDbServer(host, child, data);
    await until('MariaDB does not start', () => server.#answers(), 30_000);
    return server;
  }

  private constructor(host: Host, child: Child, data: string) {
    this.host = host;
    this.child = child;
    this.#data = data;
  }

  /** Runs statements as root, over a socket of the file system, and gives what they print, tab-separated. */
  ask(sql: string): string {
    return askMariaDb(this.#data, sql).trim();
  }

  /** What came over the network, by connection and in order: `Query<tab>select 1`, `Connect<tab>app@10.0.0.1 on shop …`. */
  conversations(): string[][] {
    const byConnection = new Map<string, string[]>();
    let last: string[] = [];
    for (const line of readFileSync(mariaDbFiles(this.#data).generalLog, 'utf8').trimEnd().split('\n')) {
      const [, connection, command, argument = ''] = ENTRY.exec(line) ?? [];
      if (connection === undefined) {
        // A statement goes on in the lines behind it.
        if (last.length > 0) last[last.length - 1] += `\n${line}`;
        continue;
      }
      last = byConnection.get(connection) ?? [];
      byConnection.set(connection, last);
      last.push(`${command}\t${argument}`);
    }
    return [...byConnection.values()].filter(([first]) => !first!.includes('using Socket'));
  }

  #answers(): boolean {
    try {
      return this.ask('select 1') === '1';
    } catch {
      return false;
    }
  }
}
