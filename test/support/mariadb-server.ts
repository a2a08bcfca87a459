/** A MariaDB on this machine's loopback for the tests of one file, on data of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../e2e/lab/shell.ts';
import { askMariaDb, makeMariaDbData, mariaDbCommand } from './mariadb.ts';

export class MariaDbServer {
  /** As `askMariaDb` takes it. */
  readonly data: string;
  readonly port: number;
  readonly #directory: string;
  readonly #process: ChildProcess;

  /** `more`: options of the server. Resolves when it answers. */
  static async start(more: readonly string[] = []): Promise<MariaDbServer> {
    const directory = mkdtempSync(join(tmpdir(), 'tcpcopy-mariadb-'));
    const data = makeMariaDbData(join(directory, 'data'));
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    taken.close();
    const [program, ...args] = mariaDbCommand(data, port, more);
    const server = new MariaDbServer(directory, data, port, spawn(program!, args, { stdio: 'ignore' }));
    await until('MariaDB does not start', () => server.#answers(), 30_000);
    return server;
  }

  private constructor(directory: string, data: string, port: number, process: ChildProcess) {
    this.#directory = directory;
    this.data = data;
    this.port = port;
    this.#process = process;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
    rmSync(this.#directory, { recursive: true });
  }

  #answers(): boolean {
    try {
      return askMariaDb(this.data, 'select 1') !== '';
    } catch {
      return false;
    }
  }
}
