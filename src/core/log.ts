/**
 * The log as the layers see it: a value passed in, so that none of them knows pino, files or the terminal. Messages are
 * whole sentences without a trailing dot; `fields` hold what a machine would search for. No secret goes in either.
 */
export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** For tests and for callers that want silence. */
export const SILENT_LOG: Log = { error() {}, warn() {}, info() {}, debug() {} };
