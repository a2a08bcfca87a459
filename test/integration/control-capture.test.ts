/** The whole intercept on a real device: the responses of a real server reach the link, each once. Needs root. */
import { connect, createServer, type AddressInfo } from 'node:net';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InterceptOptions } from '../../src/config/copy-options.ts';
import { parseIp } from '../../src/core/ip-address.ts';
import { SILENT_LOG } from '../../src/core/log.ts';
import { PAYLOAD_ALL } from '../../src/control/protocol.ts';
import { runIntercept } from '../../src/intercept/run-intercept.ts';
import { loadNative } from '../../src/native/load.ts';
import { HOST, until } from './control-lab/lab.ts';
import { afterTest, makeLink } from './control-lab/started.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Running {
  readonly port: number;
  readonly lines: string[];
  stop(): Promise<number>;
}

async function run(options: Partial<InterceptOptions>): Promise<Running> {
  const stopper = new AbortController();
  const lines: string[] = [];
  const port = await freePort();
  let exit!: Promise<number>;
  await new Promise<void>((resolve, reject) => {
    exit = runIntercept(
      {
        check: undefined,
        devices: ['lo'],
        io: 'ring',
        filter: undefined,
        bind: HOST,
        port,
        controlKey: undefined,
        controlTls: undefined,
        captureBuffer: 4 << 20,
        snapLength: 65_600,
        summaryJson: undefined,
        process: {
          logFile: undefined,
          logLevel: 'info',
          logFormat: 'text',
          pidFile: undefined,
          daemon: false,
          nice: 'none',
          user: undefined,
          ui: false,
          metrics: undefined,
          debug: false,
        },
        ...options,
      },
      {
        log: SILENT_LOG,
        stdout: (line) => lines.push(line),
        stopSignal: stopper.signal,
        statsRequests: () => undefined,
        started: resolve,
      },
    );
    exit.catch(reject);
  });
  const stop = () => {
    stopper.abort();
    return exit;
  };
  afterTest(stop);
  return { port, lines, stop };
}

/** A server that answers `hello` to whatever is sent, and closes. */
async function startServer(): Promise<number> {
  const server = createServer((socket) => socket.once('data', () => socket.end('hello')));
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  afterTest(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Asks from `localPort`, or from the next above it that nobody on this machine uses; resolves with the one it was. */
async function ask(target: number, localPort: number): Promise<number> {
  for (let port = localPort; ; port++) {
    const socket = connect({ host: HOST, port: target, localPort: port });
    socket.resume();
    socket.write('hi');
    const taken = await new Promise<boolean>((resolve, reject) => {
      socket.once('close', () => resolve(false));
      socket.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') resolve(true);
        else reject(error);
      });
    });
    if (!taken) return port;
  }
}

const possible = process.getuid?.() === 0 && loadNative().addon !== undefined;

describe.skipIf(!possible)('intercept on a device', () => {
  it.each([['lo'], ['any']])('forwards the responses captured on %s, each once', async (device) => {
    const summaryJson = join(tmpdir(), `intercept-${process.pid}-${device}.json`);
    afterTest(() => rm(summaryJson, { force: true }));
    const intercept = await run({ devices: [device], summaryJson });
    const target = await startServer();
    const targets = [{ address: parseIp(HOST)!, portFirst: target, portLast: target }];
    const link = makeLink(intercept.port, { targets, wantPayload: PAYLOAD_ALL });
    await link.link.connect();

    const ports: number[] = [];
    for (let i = 0; i < 3; i++) ports.push(await ask(target, link.firstPort + 500 + 100 * i));
    // Traffic of the same server that is none of ours.
    await ask(target, 0);

    const of = (port: number) => link.responses.filter((r) => r.port === port);
    await until(() => ports.every((port) => of(port).some((r) => r.payload === 'hello')), 'the responses');
    for (const port of ports) expect(of(port).filter((r) => r.payload === 'hello')).toHaveLength(1);

    const began = performance.now();
    expect(await intercept.stop()).toBe(0);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(intercept.lines.join(' ')).toMatch(/forwarded/);
    const summary = JSON.parse(await readFile(summaryJson, 'utf8')) as Record<string, number>;
    expect(summary.forwarded).toBe(link.responses.length);
    expect(summary.kernelDropped).toBe(0);
  });

  it('honours a filter of the user', async () => {
    const target = await startServer();
    const intercept = await run({ filter: `not tcp src port ${target}` });
    const targets = [{ address: parseIp(HOST)!, portFirst: target, portLast: target }];
    const link = makeLink(intercept.port, { targets });
    await link.link.connect();
    await ask(target, link.firstPort + 600);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(link.responses).toEqual([]);
  });

  it('says what is wrong with a device or a filter', async () => {
    await expect(run({ devices: ['nosuch0'] })).rejects.toMatchObject({ code: 'E_DEVICE' });
    await expect(run({ filter: 'tcp banana' })).rejects.toMatchObject({ code: 'E_FILTER' });
  });
});
