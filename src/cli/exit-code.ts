import { TcpcopyError, type ErrorCode } from '../core/errors.ts';

export const EXIT_OK = 0;
/** Something went wrong while running, or the result is not what was asked for. */
export const EXIT_FAILED = 1;
/** The command line, the machine or the files it names cannot be used: nothing was done. */
export const EXIT_BAD_USE = 2;

/** Wrong whenever it is noticed. */
const ALWAYS_BAD_USE: ReadonlySet<ErrorCode> = new Set([
  'E_USAGE',
  'E_OPTION',
  'E_MAPPING',
  'E_CLIENT_ADDRESS',
  'E_FILTER',
  'E_ALREADY_RUNNING',
]);
/** Judgements on a run that did take place. */
const ALWAYS_FAILED: ReadonlySet<ErrorCode> = new Set(['E_LEDGER', 'E_FIDELITY']);

/** A device that is not there at start is bad use; one that goes away later is a failure. */
export function exitCodeOf(error: unknown, started: boolean): number {
  if (!(error instanceof TcpcopyError)) return EXIT_FAILED;
  if (ALWAYS_BAD_USE.has(error.code)) return EXIT_BAD_USE;
  if (ALWAYS_FAILED.has(error.code)) return EXIT_FAILED;
  return started ? EXIT_FAILED : EXIT_BAD_USE;
}

/** What a person is shown of an error: one line, whatever was thrown. */
export function errorLine(error: unknown, debug = false): string {
  if (error instanceof TcpcopyError) return singleLine(error.oneLine());
  const message = error instanceof Error ? error.message || error.name : String(error);
  return singleLine(`internal error: ${message}; ${debug ? '' : 'run again with --debug to see where, and '}report it`);
}

function singleLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
