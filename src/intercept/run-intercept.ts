/** Runs an intercept from options to exit code. */
import { writeFile } from 'node:fs/promises';
import { createCapture } from '../capture/open-capture.ts';
import type { InterceptOptions } from '../config/copy-options.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import { FrameParser } from '../wire/frame-parser.ts';
import { exactFilter, lastingFilter } from './capture-selection.ts';
import { Intercept } from './intercept.ts';
import type { InterceptSource } from './intercept-setup.ts';
import { interceptMetrics } from './intercept-metrics.ts';
import { describeStats } from './intercept-stats.ts';

const EXIT_FAILED = 1;
const EVERY_ADDRESS = ['::', '0.0.0.0'];
const LOOPBACK = /^(127\.|::1$)/;
/** As short as the kernel lets it be: what waits for a response whose payload is wanted waits for its block. */
const RETIRE_MS = 1;

/**
 * Resolves to 0 when it was told to stop, to 1 when the capture broke. Throws a `TcpcopyError` when a device, a filter
 * or the port cannot be used.
 */
export async function runIntercept(options: InterceptOptions, environment: RunEnvironment): Promise<number> {
  const { log, stopSignal } = environment;
  const { sources, backend } = openSources(options, environment);
  let captureEnded!: () => void;
  const broken = new Promise<'broken'>((resolve) => {
    captureEnded = () => resolve('broken');
  });
  const intercept = new Intercept({
    sources,
    makeParser: () => new FrameParser({ verifyChecksums: true }),
    bind: options.bind,
    port: options.port,
    key: options.controlKey,
    tls: options.controlTls,
    expression: options.filter,
    devices: options.devices,
    backend: options.io,
    software: environment.version ?? '',
    log,
    captureEnded,
  });
  await intercept.start();
  const port = `${intercept.port}${options.controlTls === undefined ? '' : ' (TLS)'}`;
  log.info(`intercept captures on ${options.devices.join(', ')} (${backend}) and listens on port ${port}`);
  tellWhoMayConnect(options, intercept.port, log);
  const report = () => describeStats(intercept.stats()).forEach((line) => environment.stdout(line));
  environment.statsRequests(report);
  environment.publish?.({
    figures: () => intercept.stats(),
    metrics: () => interceptMetrics(intercept.stats()),
    trouble: () => undefined,
  });
  environment.started();

  const stopped = new Promise<'stopped'>((resolve) => {
    if (stopSignal.aborted) resolve('stopped');
    else stopSignal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  const reason = await Promise.race([broken, stopped]);
  await intercept.stop();
  report();
  if (options.summaryJson !== undefined) {
    await writeFile(options.summaryJson, `${JSON.stringify(intercept.stats(), undefined, 2)}\n`).catch((cause) => {
      throw new TcpcopyError('E_FILE', String(cause), { where: `--summary-json ${options.summaryJson}`, cause });
    });
  }
  return reason === 'stopped' ? 0 : EXIT_FAILED;
}

/** Without a key the network decides who may take leases and read responses. */
function tellWhoMayConnect({ bind, controlKey }: InterceptOptions, port: number, log: Log): void {
  if (controlKey !== undefined || LOOPBACK.test(bind)) return;
  if (EVERY_ADDRESS.includes(bind)) {
    log.warn(`whoever reaches port ${port} may connect: set --control-key-file, or listen on one address with -b`);
  } else {
    log.info(`whoever reaches port ${port} of ${bind} may connect; --control-key-file lets only yours in`);
  }
}

function openSources(
  options: InterceptOptions,
  { log }: RunEnvironment,
): { sources: readonly InterceptSource[]; backend: string } {
  const { devices, io, filter: expression, captureBuffer, snapLength } = options;
  const common = { devices, backend: io, direction: 'both', captureBuffer, snapLength, retireMs: RETIRE_MS } as const;
  const capture = createCapture({ ...common, filter: exactFilter([], expression), promptHeads: true });
  if (capture.note !== undefined) log.warn(`capturing through libpcap: ${capture.note}`);
  const sources: readonly InterceptSource[] = capture.sources;
  if (sources.every((source) => source.refilter !== undefined)) return { sources, backend: capture.backend };
  // A filter that stays as it is must let everything through that anybody may ask for.
  return {
    sources: createCapture({ ...common, filter: lastingFilter(expression, options.port) }).sources,
    backend: capture.backend,
  };
}
