import { micros } from '../core/time.ts';
import type { RecordOptions } from './copy-options.ts';
import * as defaults from './defaults.ts';
import { parseInput, STDIN } from './input.ts';
import { parseSelections } from './mapping.ts';
import { missingOption, optionError } from './option-error.ts';
import type { OptionsContext } from './options-context.ts';
import { parsePluginErrorPolicy } from './plugin-error-policy.ts';
import { parsePlugin } from './plugin-spec.ts';
import { parseProcessOptions, requireWritable } from './process-options.ts';
import { parseDuration, parseInteger, parseSize } from './quantity.ts';
import { parseRaw, rawRecordSchema, type RawRecordOptions } from './raw-options.ts';
import { or, parseSummaryInterval } from './shared-options.ts';

/** From the texts of `tcpcopy record` to what the run is told; throws a `TcpcopyError` at the first thing wrong. */
export function parseRecordOptions(input: Readonly<Record<string, unknown>>, context: OptionsContext): RecordOptions {
  const raw = parseRaw(rawRecordSchema, input);
  if (raw.map.length === 0) {
    throw missingOption('-x', 'is required: the ports of the servers to record', "as in '-x 80' or '-x 192.0.2.1:80'");
  }
  const mappings = parseSelections(raw.map);
  const source = raw.input.length === 0 ? { devices: ['any'] } : parseInput(raw.input, context);
  const filter = raw.filter?.trim();
  if (filter === '') throw optionError('-F', '', 'is an empty filter', 'leave -F out');
  return {
    mappings,
    input: source,
    target: 'recording',
    recording: parseRecording(raw, source, context),
    io: raw.io,
    filter,
    captureBuffer: or(raw.buffer, undefined, (text) => parseSize('-B', text, 'm', defaults.CAPTURE_BUFFER)),
    snapLength: or(raw.snaplen, defaults.SNAP_LENGTH.default, (text) => parseInteger('-S', text, defaults.SNAP_LENGTH)),
    plugins: raw.plugin.map((given) => (typeof given === 'string' ? parsePlugin(given) : given)),
    onPluginError: or(raw.onPluginError, { kind: 'pass' }, parsePluginErrorPolicy),
    memoryLimit: or(raw.memory, defaults.MEMORY.default, (text) => parseSize('-m', text, 'm', defaults.MEMORY)),
    summaryJson: or(raw.summaryJson, undefined, (path) => requireWritable('--summary-json', path, context)),
    seed: or(raw.seed, undefined, (text) => parseInteger('--seed', text, defaults.SEED)),
    summaryInterval: parseSummaryInterval(raw.summaryInterval),
    process: parseProcessOptions(raw, context),
    ...NOT_SENT,
  };
}

function parseRecording(
  raw: RawRecordOptions,
  source: RecordOptions['input'],
  context: OptionsContext,
): RecordOptions['recording'] {
  if (raw.write === undefined) {
    throw missingOption(
      '-w',
      'is required: the file to record to',
      "as in '-w traffic.pcapng', packed '-w traffic.pcapng.gz'",
    );
  }
  if (raw.write === STDIN) throw optionError('-w', STDIN, 'standard output is for the summary', 'name a file');
  if ('file' in source && source.file === raw.write) {
    throw optionError('-w', raw.write, 'is the recording that -i reads', 'name another file');
  }
  const limits = {
    maxSize: or(raw.maxSize, undefined, (text) => parseSize('--max-size', text, 'm', defaults.FILE_SIZE)),
    maxAge: or(raw.maxTime, undefined, (text) => parseDuration('--max-time', text, 's', defaults.FILE_AGE)),
    keep: or(raw.files, undefined, (text) => parseInteger('--files', text, defaults.FILES)),
  };
  if (limits.keep !== undefined && limits.maxSize === undefined && limits.maxAge === undefined) {
    throw optionError(
      '--files',
      raw.files!,
      'there is one file only',
      'say when another begins: --max-size, --max-time',
    );
  }
  return { path: requireWritable('-w', raw.write, context), ...limits };
}

/** What only a run with a target is asked. */
const NOT_SENT = {
  intercepts: [],
  controlConnections: defaults.CONTROL_CONNECTIONS.default,
  controlKey: undefined,
  controlTls: undefined,
  clientAddresses: [],
  workers: 1,
  copies: 1,
  pace: 'asap',
  acceleration: 1,
  maxGap: undefined,
  repeat: 1,
  onlyFromSyn: false,
  stayWithoutIntercept: false,
  maxSessions: defaults.SESSIONS.default,
  maxCpu: undefined,
  maxHostCpu: undefined,
  shed: 'never',
  mtu: defaults.MTU.default,
  mss: defaults.MTU.default - defaults.HEADERS_V4,
  sessionTimeout: defaults.SESSION_TIMEOUT.default,
  keepaliveTimeout: micros(defaults.SESSION_TIMEOUT.default + defaults.KEEPALIVE_EXTRA),
  dryRun: false,
  writeFile: undefined,
  minFidelity: undefined,
} as const;
