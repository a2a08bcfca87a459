import { TcpcopyError, type ErrorCode } from '../core/errors.ts';

/** A value is repeated in its message; a longer one than this is cut, so that one error stays one readable line. */
const LONGEST_VALUE = 60;
/** Of a path that is longer the end is kept, which says most. */
const LONGEST_PATH = 120;

/** What is wrong with one value of one flag: `-n 5000: must be …; …`. */
export function optionError(
  flag: string,
  value: string,
  message: string,
  hint?: string,
  code: ErrorCode = 'E_OPTION',
): TcpcopyError {
  const where = value === '' ? `${flag} (empty)` : `${flag} ${quoteIfNeeded(value)}`;
  return new TcpcopyError(code, message, hint === undefined ? { where } : { where, hint });
}

/** Printable, one line, not too long; quoted when it holds blanks. */
export function quoteIfNeeded(value: string): string {
  const printable = value.replace(/[\u0000-\u001f\u007f]/g, '?');
  const cut = printable.length > LONGEST_VALUE ? `${printable.slice(0, LONGEST_VALUE)}…` : printable;
  return /\s/.test(cut) ? `'${cut}'` : cut;
}

/** Where an error about a flag's file is: `--tls-ca /etc/ca.pem`. */
export function flagWithPath(flag: string, path: string): string {
  if (path === '') return `${flag} (empty)`;
  return `${flag} ${path.length > LONGEST_PATH ? `…${path.slice(-LONGEST_PATH)}` : path}`;
}

/** A flag that has to be there and is not. */
export function missingOption(flag: string, message: string, hint: string): TcpcopyError {
  return new TcpcopyError('E_USAGE', message, { where: flag, hint });
}
