import { formatEndpoint, formatIp } from '../core/ip-address.ts';
import { micros } from '../core/time.ts';
import { parseClientAddresses } from './client-addresses.ts';
import { readControlTrust } from './control-tls.ts';
import type { CopyOptions, Mapping, Pace } from './copy-options.ts';
import * as defaults from './defaults.ts';
import { parseInput, STDIN } from './input.ts';
import { parseInterceptAddresses } from './intercept-addresses.ts';
import { parseMappings } from './mapping.ts';
import { missingOption, optionError } from './option-error.ts';
import type { OptionsContext } from './options-context.ts';
import { parsePluginErrorPolicy } from './plugin-error-policy.ts';
import { pluginsOfFlags } from './plugin-flags.ts';
import { parsePlugin } from './plugin-spec.ts';
import { parseProcessOptions, readControlKey, requireWritable } from './process-options.ts';
import { parseDecimal, parseDuration, parseInteger, parsePercent, parseSize } from './quantity.ts';
import { or, parseSummaryInterval } from './shared-options.ts';
import { parseRaw, rawCopySchema, type RawCopyOptions } from './raw-options.ts';

export interface ParsedCopyOptions {
  readonly options: CopyOptions;
  /** What was read but has no effect, a sentence each. */
  readonly notes: readonly string[];
}

/** From the texts of a command line to what `runCopy` is told; throws a `TcpcopyError` at the first thing wrong. */
export function parseCopyOptions(input: Readonly<Record<string, unknown>>, context: OptionsContext): ParsedCopyOptions {
  const raw = parseRaw(rawCopySchema, input);
  const notes: string[] = [];
  if (raw.map.length === 0) {
    throw missingOption(
      '-x',
      'is required: what to copy, and where to',
      "as in '-x 80-192.0.2.10:8080'; see tcpcopy --help",
    );
  }
  const { mappings, macIgnored } = parseMappings(raw.map);
  if (macIgnored) notes.push('the MAC addresses in -x are not used: the next hop is taken from the routing table');

  const source = raw.input.length === 0 ? { devices: ['any'] } : parseInput(raw.input, context);
  const recording = 'file' in source ? source.file : undefined;
  checkCombinations(raw, recording);

  const filter = raw.filter?.trim();
  if (filter === '') throw optionError('-F', '', 'is an empty filter', 'leave -F out');
  const { mtu, mss } = parseSegmentSizes(raw, mappings);
  const sessionTimeout = or(raw.timeout, defaults.SESSION_TIMEOUT.default, (text) =>
    parseDuration('-t', text, 's', defaults.SESSION_TIMEOUT),
  );

  const plugins = raw.plugin.map((given) => (typeof given === 'string' ? parsePlugin(given) : given));

  const options: CopyOptions = {
    mappings,
    input: source,
    io: raw.io,
    target: raw.target,
    plugins: [...pluginsOfFlags(raw, plugins), ...plugins],
    onPluginError: or(raw.onPluginError, { kind: 'pass' }, parsePluginErrorPolicy),
    ...parseRawTargetOptions(raw, mappings, notes),
    controlKey: readControlKey(raw.controlKeyFile, context),
    controlTls: readControlTrust(raw, context),
    filter,
    copies: or(raw.copies, defaults.COPIES.default, (text) => parseInteger('-n', text, defaults.COPIES)),
    workers: or(raw.workers, defaults.WORKERS.default, (text) => parseWorkers(text, context)),
    captureBuffer: or(raw.buffer, undefined, (text) => parseSize('-B', text, 'm', defaults.CAPTURE_BUFFER)),
    snapLength: or(raw.snaplen, defaults.SNAP_LENGTH.default, (text) => parseInteger('-S', text, defaults.SNAP_LENGTH)),
    pace: choosePace(raw, recording),
    acceleration: or(raw.accelerate, defaults.ACCELERATION.default, (text) =>
      parseDecimal('-a', text, defaults.ACCELERATION),
    ),
    maxGap: or(raw.maxGap, undefined, (text) => parseDuration('-I', text, 'ms', defaults.MAX_GAP)),
    repeat: or(raw.repeat, defaults.REPEAT.default, (text) => parseInteger('-T', text, defaults.REPEAT)),
    onlyFromSyn: raw.onlyFromSyn,
    stayWithoutIntercept: raw.lonely,
    memoryLimit: or(raw.memory, defaults.MEMORY.default, (text) => parseSize('-m', text, 'm', defaults.MEMORY)),
    maxSessions: or(raw.maxSessions, defaults.SESSIONS.default, (text) =>
      parseInteger('--max-sessions', text, defaults.SESSIONS),
    ),
    maxCpu: or(raw.maxCpu, undefined, (text) => parseInteger('--max-cpu', text, defaults.MAX_CPU) / 100),
    maxHostCpu: or(
      raw.maxHostCpu,
      undefined,
      (text) => parseInteger('--max-host-cpu', text, defaults.MAX_HOST_CPU) / 100,
    ),
    shed: raw.shed,
    mtu,
    mss,
    sessionTimeout,
    keepaliveTimeout: or(raw.keepaliveTimeout, micros(sessionTimeout + defaults.KEEPALIVE_EXTRA), (text) =>
      parseDuration('-k', text, 's', defaults.SESSION_TIMEOUT),
    ),
    dryRun: raw.dryRun,
    writeFile: or(raw.write, undefined, (path) => requireWritable('-w', path, context)),
    summaryJson: or(raw.summaryJson, undefined, (path) => requireWritable('--summary-json', path, context)),
    minFidelity: or(raw.minFidelity, undefined, (text) => parsePercent('--min-fidelity', text, true)),
    seed: or(raw.seed, undefined, (text) => parseInteger('--seed', text, defaults.SEED)),
    summaryInterval: parseSummaryInterval(raw.summaryInterval),
    process: parseProcessOptions(raw, context),
  };
  return { options, notes };
}

/** Where to: intercepts and client addresses, which only the raw target has. */
function parseRawTargetOptions(
  raw: RawCopyOptions,
  mappings: readonly Mapping[],
  notes: string[],
): Pick<CopyOptions, 'intercepts' | 'controlConnections' | 'clientAddresses'> {
  const port = or(raw.port, defaults.CONTROL_PORT, (text) => parseInteger('-p', text, { min: 1, max: 65535 }));
  const intercepts = parseInterceptAddresses(raw.intercept, port);
  const targets = mappings.map((m) => m.target);
  const clientAddresses = parseClientAddresses(raw.client, targets);
  const controlConnections = or(raw.connections, defaults.CONTROL_CONNECTIONS.default, (text) =>
    parseInteger('-C', text, defaults.CONTROL_CONNECTIONS),
  );
  if (raw.target === 'socket') {
    if (intercepts.length > 0) notes.push('-s has no effect with --target socket, which needs no intercept');
    if (clientAddresses.length > 0) notes.push('-c has no effect with --target socket, which uses this host as client');
    return { intercepts: [], controlConnections, clientAddresses: [] };
  }
  if (raw.dryRun && intercepts.length > 0) notes.push('-s has no effect with --dry-run, which sends nothing');
  if (raw.write === undefined && !raw.dryRun && intercepts.length === 0) {
    throw missingOption(
      '-s',
      'is required: where intercept runs',
      "as in '-s 192.0.2.20'; without an intercept use --target socket, or --dry-run to look first",
    );
  }
  if (clientAddresses.length === 0) requireSameFamilies(mappings);
  return { intercepts, controlConnections, clientAddresses };
}

/** Without -c a session has its client's own address, which must be of the target's family. */
function requireSameFamilies(mappings: readonly Mapping[]): void {
  for (const { online, target } of mappings) {
    if (online.address && online.address.version !== target.address.version) {
      const entry = `${formatIp(online.address)} to ${formatEndpoint(target)}`;
      const family = `IPv${target.address.version}`;
      throw optionError('-x', entry, 'crosses address families', `add -c with ${family} addresses`, 'E_MAPPING');
    }
  }
}

function checkCombinations(raw: RawCopyOptions, recording: string | undefined): void {
  if (recording === undefined) {
    for (const [flag, text] of [
      ['-a', raw.accelerate],
      ['-I', raw.maxGap],
      ['-T', raw.repeat],
    ] as const) {
      if (text !== undefined) {
        throw optionError(flag, text, 'works on a recording only', 'name a recording with -i, or leave it out');
      }
    }
  }
  if (recording === STDIN && raw.repeat !== undefined && Number(raw.repeat) > 1) {
    throw optionError('-T', raw.repeat, 'standard input can be read only once', 'save the recording to a file');
  }
  if (recording === STDIN && raw.daemon) {
    throw optionError('-i', STDIN, 'a daemon has no standard input', 'save the recording to a file');
  }
  if (raw.workers !== undefined && raw.workers !== '1') {
    if (recording === STDIN) {
      throw optionError(
        '--workers',
        raw.workers,
        'standard input can be read by one process only',
        'save it to a file',
      );
    }
    if (raw.write !== undefined) {
      throw optionError('--workers', raw.workers, 'would write one file from several processes', 'leave -w or it out');
    }
    if (raw.dryRun) {
      throw optionError('--workers', raw.workers, 'is for sending: --dry-run lists from one process', 'leave it out');
    }
  }
  if (raw.pace !== undefined && raw.pace !== 'capture') {
    const why = `--pace ${raw.pace} keeps no recorded times`;
    if (raw.accelerate !== undefined) throw optionError('-a', raw.accelerate, why, 'leave one of them out');
    if (raw.maxGap !== undefined) throw optionError('-I', raw.maxGap, why, 'leave one of them out');
  }
  if (raw.write !== undefined && raw.target === 'socket') {
    throw optionError('-w', raw.write, 'writes the packets of --target raw; socket sends none of its own');
  }
  if (raw.write !== undefined && raw.write === recording) {
    throw optionError('-w', raw.write, 'is the recording that -i reads', 'name another file');
  }
}

/**
 * `-a` and `-I` are about recorded times, so they ask for them. `-W`, TCPCopy's "do not wait for the response": live
 * traffic is passed on at once, and a recording keeps its own times, as it did there.
 */
function choosePace(raw: RawCopyOptions, recording: string | undefined): Pace {
  const timed = raw.accelerate !== undefined || raw.maxGap !== undefined;
  if (!raw.dontWait) return raw.pace ?? (timed ? 'capture' : 'response');
  const meant: Pace = recording === undefined ? 'asap' : 'capture';
  if (raw.pace === 'response') {
    throw optionError('--pace', raw.pace, 'contradicts -W', 'leave one of them out');
  }
  return raw.pace ?? meant;
}

function parseSegmentSizes(raw: RawCopyOptions, mappings: readonly Mapping[]): { mtu: number; mss: number } {
  const v6 = mappings.some((m) => m.target.address.version === 6);
  const mtu = or(raw.mtu, defaults.MTU.default, (text) => {
    const min = v6 ? defaults.MTU_MIN_V6 : defaults.MTU.min;
    return parseInteger('-M', text, { min, max: defaults.MTU.max });
  });
  const largest = mtu - (v6 ? defaults.HEADERS_V6 : defaults.HEADERS_V4);
  const mss = or(raw.mss, largest, (text) => {
    const n = parseInteger('-D', text, { min: defaults.MSS_MIN, max: defaults.MTU.max });
    if (n > largest) throw optionError('-D', text, `does not fit an MTU of ${mtu}`, `at most ${largest}, or raise -M`);
    return n;
  });
  return { mtu, mss };
}

/** `auto`: one for each processor. */
function parseWorkers(text: string, { processors }: OptionsContext): number {
  if (text === 'auto') return Math.min(processors, defaults.WORKERS.max);
  return parseInteger('--workers', text, defaults.WORKERS);
}
