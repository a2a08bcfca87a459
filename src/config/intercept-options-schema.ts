import { TcpcopyError } from '../core/errors.ts';
import { parseIp } from '../core/ip-address.ts';
import { readControlIdentity } from './control-tls.ts';
import type { InterceptOptions } from './copy-options.ts';
import { CAPTURE_BUFFER, CONTROL_PORT, SNAP_LENGTH } from './defaults.ts';
import { parseDevices } from './input.ts';
import { optionError } from './option-error.ts';
import type { OptionsContext } from './options-context.ts';
import { parseProcessOptions, readControlKey, requireWritable } from './process-options.ts';
import { parseInteger, parseSize } from './quantity.ts';
import { parseRaw, rawInterceptSchema } from './raw-options.ts';
import { or } from './shared-options.ts';

/** All addresses of the host, both families. */
const BIND_ANY = '::';

/** From the texts of a command line to what `runIntercept` is told; throws a `TcpcopyError` at the first thing wrong. */
export function parseInterceptOptions(
  input: Readonly<Record<string, unknown>>,
  context: OptionsContext,
): InterceptOptions {
  const raw = parseRaw(rawInterceptSchema, input);
  const filter = raw.filter?.trim();
  if (filter === '') throw optionError('-F', '', 'is an empty filter', 'leave -F out');
  if (raw.bind !== undefined && !parseIp(raw.bind)) {
    throw optionError('-b', raw.bind, 'is not an IP address', "give an address of this host, or '::' for all");
  }
  const { check, apply, json } = raw;
  if (!check && (apply || json)) {
    throw new TcpcopyError('E_OPTION', 'belongs to --check', {
      where: apply ? '--apply' : '--json',
      hint: 'add --check, or leave it out',
    });
  }
  return {
    check: check ? { apply, json } : undefined,
    devices: raw.input.length === 0 ? ['any'] : parseDevices(raw.input),
    io: raw.io,
    filter,
    bind: raw.bind?.replace(/^\[|\]$/g, '') ?? BIND_ANY,
    port: raw.port === undefined ? CONTROL_PORT : parseInteger('-p', raw.port, { min: 1, max: 65535 }),
    controlKey: readControlKey(raw.controlKeyFile, context),
    controlTls: readControlIdentity(raw, context),
    captureBuffer: raw.buffer === undefined ? undefined : parseSize('-B', raw.buffer, 'm', CAPTURE_BUFFER),
    snapLength: raw.snaplen === undefined ? SNAP_LENGTH.default : parseInteger('-S', raw.snaplen, SNAP_LENGTH),
    summaryJson: or(raw.summaryJson, undefined, (path) => requireWritable('--summary-json', path, context)),
    // What is looked at beside a running intercept must not take its place.
    process: parseProcessOptions(check ? { ...raw, daemon: false, pidFile: undefined, log: undefined } : raw, context),
  };
}
