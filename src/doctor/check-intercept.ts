/** `intercept --check`: whether this host can do an intercept's work. Sends nothing; changes nothing without `--apply`. */
import { createServer } from 'node:net';
import { createCapture } from '../capture/open-capture.ts';
import { hostDevices } from '../capture/host-devices.ts';
import type { InterceptOptions } from '../config/copy-options.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import { checkFindings, checkStages, type InterceptHost } from '../diagnosis/check.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { applyFixes } from './apply.ts';
import { FOUND_SOMETHING, HEALTHY, tell } from './run-doctor.ts';

const SAMPLE_MS = 500;
const BUFFER = 2 << 20;
/** Of each packet: they are only counted. */
const SNAP_LENGTH = 128;

/** Resolves with the exit code: 0 nothing found, 1 something. Throws E_FILTER for a filter that does not compile. */
export async function checkIntercept(options: InterceptOptions, environment: RunEnvironment): Promise<number> {
  const { apply = false, json = false } = options.check ?? {};
  const look = async (): Promise<Finding[]> => {
    const host = await gatherHost(options);
    const findings = checkFindings(host);
    const title = `intercept --check: captures on ${host.devices.join(', ')}, control port ${host.port}`;
    tell(environment, json, title, checkStages(host), findings, host);
    return findings;
  };
  let findings = await look();
  if (apply && findings.length > 0 && (await applyFixes(findings, 'assistant', environment))) findings = await look();
  return findings.length === 0 ? HEALTHY : FOUND_SOMETHING;
}

async function gatherHost(options: InterceptOptions): Promise<InterceptHost> {
  const all = hostDevices();
  const any = options.devices.includes('any');
  const captured = all.filter(({ name }) => name !== 'lo' && (any || options.devices.includes(name)));
  const missingDevices = options.devices
    .filter((name) => name !== 'any')
    .flatMap((name): InterceptHost['missingDevices'][number][] => {
      const device = all.find((d) => d.name === name);
      if (device === undefined) return [{ name, why: 'missing' }];
      return device.up ? [] : [{ name, why: 'down' }];
    });
  const sampled = missingDevices.length > 0 ? {} : await sample(options);
  return {
    devices: options.devices,
    port: options.port,
    permission: sampled.permission,
    missingDevices,
    forwarding: captured.flatMap(({ name, forwards4, forwards6 }) => [
      ...(forwards4 ? [{ name, family: 4 as const }] : []),
      ...(forwards6 ? [{ name, family: 6 as const }] : []),
    ]),
    frames: sampled.frames,
    listen: await tryListen(options.bind, options.port),
  };
}

async function sample({
  devices,
  io,
  filter,
}: InterceptOptions): Promise<{ readonly permission?: string; readonly frames?: number }> {
  const { sources } = createCapture({
    devices,
    backend: io,
    filter: { expression: filter },
    direction: 'both',
    captureBuffer: BUFFER,
    snapLength: SNAP_LENGTH,
  });
  try {
    for (const source of sources) {
      await source.open({
        ready: () => {
          while (source.poll() !== undefined);
        },
        ended: () => undefined,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    return { frames: sources.reduce((sum, source) => sum + source.stats().frames, 0) };
  } catch (error) {
    if (error instanceof TcpcopyError && error.code === 'E_PERMISSION') return { permission: error.message };
    throw error;
  } finally {
    for (const source of sources) source.close();
  }
}

function tryListen(host: string, port: number): Promise<InterceptHost['listen']> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'EADDRINUSE') resolve('in-use');
      else if (code === 'EACCES') resolve('denied');
      // A host without IPv6 has no `::` to listen on: then all of its IPv4 addresses serve.
      else resolve(host === '::' ? 'free' : 'no-such-address');
    });
    server.listen({ host, port }, () => server.close(() => resolve('free')));
  });
}
