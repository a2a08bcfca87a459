/**
 * The programs' log: pino decides what is logged and as what, this file where it goes and how it looks. Text lines read
 * `2026-01-31T12:00:00.000Z warn  message key=value`; JSON lines are pino's own.
 */
import pc from 'picocolors';
import { pino } from 'pino';
import type { Log } from '../core/log.ts';
import type { ProcessOptions } from '../config/copy-options.ts';
import { TcpcopyError } from '../core/errors.ts';

/** A log file that cannot take more (a full disk) must not take the memory instead. Bytes held back at most. */
const LARGEST_BACKLOG = 1 << 20;

export interface LogStyle extends Pick<ProcessOptions, 'logLevel'> {
  readonly logFormat: 'text' | 'json';
  /** Marks what went wrong in text lines, for a terminal. */
  readonly colors?: boolean;
}

export interface LogFile {
  readonly log: Log;
  /** A line that is not a log record, as the summary is; in JSON it becomes one, unless it is empty. */
  line(text: string): void;
  /** After the file has been moved away. */
  reopen(): void;
  flush(): void;
}

/** A log that hands finished lines, without their line end, to `write`. */
export function createLog(options: LogStyle, write: (line: string) => void): Log {
  const { logLevel, logFormat, colors = false } = options;
  const paint = pc.createColors(colors);
  const toLine = logFormat === 'json' ? (json: string) => json.trimEnd() : (json: string) => textLine(json, paint);
  const logger = pino(
    {
      level: logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (json: string) => write(toLine(json)) },
  );
  return {
    error: (message, fields) => logger.error(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    debug: (message, fields) => logger.debug(fields ?? {}, message),
  };
}

/**
 * The log in a file, appended to. Throws a `TcpcopyError` when it cannot be opened. `onLoss` is told, with an errno name,
 * when the file begins to refuse lines.
 */
export function openLogFile(path: string, options: LogStyle, onLoss?: (reason: string) => void): LogFile {
  let destination: ReturnType<typeof pino.destination>;
  try {
    destination = pino.destination({ dest: path, append: true, sync: true, maxLength: LARGEST_BACKLOG });
  } catch (error) {
    throw new TcpcopyError('E_FILE', `cannot be opened (${(error as NodeJS.ErrnoException).code})`, {
      where: `-l ${path}`,
      hint: 'name a file that can be written',
      cause: error,
    });
  }
  // Without a listener a full disk would end the process. What cannot be logged is lost; copying goes on.
  let refused = false;
  destination.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (!refused) onLoss?.(code ?? message);
    refused = true;
  });
  destination.on('write', () => (refused = false));
  const write = (text: string) => void destination.write(`${text}\n`);
  const log = createLog(options, write);
  return {
    log,
    line: options.logFormat === 'json' ? (text) => void (text !== '' && log.info(text)) : write,
    reopen: () => destination.reopen(),
    // flushSync tries for ever. Lines are written as they come, so there is nothing to flush but what was refused.
    flush: () => void (refused || destination.flushSync()),
  };
}

/** The record as `createLog` has pino write it. */
interface PinoRecord {
  readonly level: string;
  readonly time: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

function textLine(json: string, paint: ReturnType<typeof pc.createColors>): string {
  const { level, time, msg = '', ...fields } = JSON.parse(json) as PinoRecord;
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${fieldText(value)}`);
  const mark = { error: paint.red, warn: paint.magenta }[level] ?? String;
  return `${time} ${mark(level.padEnd(5))} ${msg.replace(/\s*\n\s*/g, ' ')}${rest.join('')}`;
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return /[\s"=]/.test(value) || value === '' ? JSON.stringify(value) : value;
  return JSON.stringify(value);
}
