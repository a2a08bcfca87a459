/**
 * `-i`: network devices, or one recording. What exists as a file, holds a slash, or is named like a recording is one; so
 * is `-`, standard input. Everything else is a device name, which only the capture layer can check.
 */
import { TcpcopyError } from '../core/errors.ts';
import type { CopyOptions } from './copy-options.ts';
import { flagWithPath, optionError } from './option-error.ts';
import type { OptionsContext } from './options-context.ts';

const FLAG = '-i';
const RECORDING_NAME = /\.(pcap|pcapng|cap|gz)$/i;
export const STDIN = '-';

/** Each text may hold several devices, separated by commas. */
export function parseInput(texts: readonly string[], context: OptionsContext): CopyOptions['input'] {
  const [only] = texts;
  const isList = only!.includes(',') && context.fileKind(only!) === 'missing';
  if (texts.length === 1 && !isList && isRecording(only!, context)) return { file: checkedFile(only!, context) };
  const devices = parseDevices(texts);
  const file = devices.find((name) => isRecording(name, context));
  if (file !== undefined) {
    throw optionError(FLAG, file, 'is a recording and cannot be combined with others', 'join recordings with mergecap');
  }
  return { devices };
}

/** Device names from comma lists. `any` covers all, so it stands alone. */
export function parseDevices(texts: readonly string[]): readonly string[] {
  const names = texts.flatMap((text) => text.split(',')).map((name) => name.trim());
  for (const name of names) {
    // Linux: IFNAMSIZ is 16 with its NUL; other systems and Windows-style names may be longer.
    if (name === '' || /\s/.test(name)) {
      throw optionError(FLAG, name, 'is not a device name', "name devices as 'ip link' lists them, as in 'eth0,eth1'");
    }
  }
  if (names.includes('any') && names.length > 1) {
    throw optionError(FLAG, names.join(','), "'any' already covers every device", 'leave the others out');
  }
  return [...new Set(names)];
}

function isRecording(text: string, context: OptionsContext): boolean {
  if (text === STDIN || text.includes('/') || RECORDING_NAME.test(text)) return true;
  const kind = context.fileKind(text);
  return kind === 'file' || kind === 'denied';
}

function checkedFile(path: string, context: OptionsContext): string {
  if (path === STDIN) return path;
  const kind = context.fileKind(path);
  if (kind === 'file') return path;
  const where = flagWithPath(FLAG, path);
  switch (kind) {
    case 'directory':
      throw new TcpcopyError('E_FILE', 'is a directory', { where, hint: 'name one recording in it' });
    case 'denied':
      throw new TcpcopyError('E_FILE', 'may not be read by this user', { where, hint: 'check its permissions' });
    default:
      throw new TcpcopyError('E_FILE', 'there is no such file', { where, hint: 'check the path' });
  }
}
