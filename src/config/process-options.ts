import { TcpcopyError } from '../core/errors.ts';
import type { ProcessOptions, RunAs } from './copy-options.ts';
import { NICE } from './defaults.ts';
import { parseMetricsAddress } from './metrics-address.ts';
import { flagWithPath, optionError } from './option-error.ts';
import type { OptionsContext } from './options-context.ts';
import type { RawProcessOptions } from './raw-options.ts';
import { parseInteger } from './quantity.ts';
import { or } from './shared-options.ts';

/** Log, pid file, daemon. A daemon without -l logs to the context's default file. */
export function parseProcessOptions(
  raw: RawProcessOptions & { readonly ui?: boolean },
  context: OptionsContext,
): ProcessOptions {
  const logFile = raw.log ?? (raw.daemon ? context.defaultLogFile : undefined);
  if (logFile !== undefined) requireWritable('-l', logFile, context);
  if (raw.pidFile !== undefined) requireWritable('-P', raw.pidFile, context);
  const { logLevel, logFormat, pidFile, daemon, ui = false, debug } = raw;
  const user = or(raw.user, undefined, (name) => parseUser(name, context));
  const nice = or(raw.nice, 'polite', parseNice);
  const metrics = or(raw.metrics, undefined, parseMetricsAddress);
  return { logFile, logLevel: debug ? 'debug' : logLevel, logFormat, pidFile, daemon, nice, user, ui, metrics, debug };
}

function parseNice(text: string): ProcessOptions['nice'] {
  return text === 'polite' || text === 'idle' || text === 'none'
    ? text
    : parseInteger('--nice', text, NICE, "or 'polite', 'idle' or 'none'");
}

function parseUser(name: string, context: OptionsContext): RunAs {
  const user = context.userNamed(name);
  if (user === undefined) throw optionError('--user', name, 'there is no such user', 'see: getent passwd');
  if (context.currentUser !== 0 && context.currentUser !== user.uid) {
    throw optionError('--user', name, 'only root may become another user', 'start it as root, or as this user');
  }
  return user;
}

/** An output file that cannot be written is better known before the run than after it. */
export function requireWritable(flag: string, path: string, context: OptionsContext): string {
  if (path === '') throw optionError(flag, '', 'names no file', 'name one, or leave the flag out');
  const errno = context.whyNotWritable(path);
  if (errno !== undefined) {
    const reason: Readonly<Record<string, string>> = {
      ENOENT: 'its directory does not exist',
      EACCES: 'this user may not write there',
      EPERM: 'this user may not write there',
      EROFS: 'the file system is read-only',
      EISDIR: 'is a directory',
      ENOTDIR: 'a part of the path is not a directory',
    };
    const where = flagWithPath(flag, path);
    throw new TcpcopyError('E_FILE', reason[errno] ?? errno, { where, hint: 'name a file that can be written' });
  }
  return path;
}

/** The pre-shared key: the file's text without the line end that editors leave. */
export function readControlKey(path: string | undefined, context: OptionsContext): string | undefined {
  if (path === undefined) return undefined;
  const where = flagWithPath('--control-key-file', path);
  const key = context.readText(path, where).trim();
  if (key.length < 8) {
    throw new TcpcopyError('E_OPTION', 'holds fewer than 8 characters', {
      where,
      hint: 'put a long random text in it',
    });
  }
  return key;
}
