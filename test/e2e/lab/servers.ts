/** Handles of the lab's own servers, which run as processes inside a host. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AilingServerOptions, AilingServerResult } from './ailing-server.ts';
import type { FaultyServerOptions } from './faulty-server.ts';
import { outputOf, type Host } from './host.ts';
import { SERVICE_PORT } from './plan.ts';
import type { RecordingServerOptions } from './recording-server.ts';
import type { RequestRecord } from './request-record.ts';
import type { Child } from './shell.ts';

/** Command line of a TypeScript program that lies beside this file. */
export function ownProgram(file: string, options: object): string[] {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return [process.execPath, '--import', import.meta.resolve('tsx'), path, JSON.stringify(options)];
}

export interface ClosedConnection {
  readonly closed: string;
  readonly bytes: number;
  readonly sha256: string;
}

export class RecordingServer {
  readonly child: Child;
  readonly #file: string;

  static async start(
    host: Host,
    options: Partial<Omit<RecordingServerOptions, 'records'>> = {},
  ): Promise<RecordingServer> {
    const all = {
      port: SERVICE_PORT,
      protocol: 'http' as const,
      ...options,
      records: host.file('records.jsonl'),
    };
    const child = host.spawn('recording-server', ownProgram('recording-server.ts', all));
    await host.listening(all.port);
    return new RecordingServer(child, all.records);
  }

  private constructor(child: Child, file: string) {
    this.child = child;
    this.#file = file;
  }

  #lines(): (RequestRecord | ClosedConnection)[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RequestRecord | ClosedConnection);
  }

  /** Requests received whole, in order of their ends. Complete once the server has been stopped. */
  records(): RequestRecord[] {
    return this.#lines().filter((line): line is RequestRecord => 'id' in line);
  }

  /** Every byte of every closed connection, hashed. */
  closedConnections(): ClosedConnection[] {
    return this.#lines().filter((line): line is ClosedConnection => 'closed' in line);
  }

  async stop(): Promise<void> {
    await this.child.stop('SIGTERM');
  }
}

export class FaultyServer {
  readonly child: Child;

  static async start(
    host: Host,
    options: Partial<FaultyServerOptions> & Pick<FaultyServerOptions, 'mode'>,
  ): Promise<FaultyServer> {
    const all = { port: SERVICE_PORT, ...options };
    const child = host.spawn('faulty-server', ownProgram('faulty-server.ts', all));
    await host.listening(all.port);
    return new FaultyServer(child);
  }

  private constructor(child: Child) {
    this.child = child;
  }

  async stop(): Promise<{ accepted: number; received: number }> {
    await this.child.stop('SIGTERM');
    return JSON.parse(outputOf(this.child).trim().split('\n').at(-1)!) as { accepted: number; received: number };
  }
}

/** A target that falls ill and gets well again when it is told to. */
export class AilingServer {
  readonly child: Child;

  static async start(host: Host, illness: AilingServerOptions['illness']): Promise<AilingServer> {
    const child = host.spawn('ailing-server', ownProgram('ailing-server.ts', { port: SERVICE_PORT, illness }));
    await host.listening(SERVICE_PORT);
    return new AilingServer(child);
  }

  private constructor(child: Child) {
    this.child = child;
  }

  fallIll(): void {
    this.child.kill('SIGUSR1');
  }

  getWell(): void {
    this.child.kill('SIGUSR2');
  }

  async stop(): Promise<AilingServerResult> {
    await this.child.stop('SIGTERM');
    return JSON.parse(outputOf(this.child).trim().split('\n').at(-1)!) as AilingServerResult;
  }
}
