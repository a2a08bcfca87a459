/** What the process that gathers (the *parent*) and those that copy (the *workers*) say to each other. */
import type { ErrorCode } from '../core/errors.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { LogFields } from '../core/log.ts';
import type { WorkerChannel } from '../core/run-environment.ts';
import type { FanoutGroups } from '../capture/open-capture.ts';
import type { RunReport } from '../report/run-report.ts';
import type { WorkerPlace } from './worker-seat.ts';

export type ToWorker = ({ readonly type: 'begin' } & WorkerPlace) | { readonly type: 'stop' };

export type FromWorker =
  /** Capturing, in these groups if the kernel deals the frames out. */
  | { readonly type: 'capturing'; readonly fanout: FanoutGroups | undefined }
  | { readonly type: 'started' }
  | { readonly type: 'report'; readonly report: RunReport }
  | {
      readonly type: 'log';
      readonly level: 'error' | 'warn' | 'info' | 'debug';
      readonly message: string;
      readonly fields: LogFields | undefined;
    }
  | { readonly type: 'line'; readonly text: string }
  /** The last message: the work is done, or failed. */
  | { readonly type: 'ended'; readonly error: ErrorData | undefined };

/** An error as data. */
export interface ErrorData {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;
}

export type ParentChannel = WorkerChannel<ToWorker, FromWorker>;

export function errorData(error: unknown): ErrorData {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof TcpcopyError)) return { code: undefined, message, where: undefined, hint: undefined };
  return { code: error.code, message, where: error.where, hint: error.hint };
}

export function errorOf({ code, message, where, hint }: ErrorData): Error {
  if (code === undefined) return new Error(message);
  return new TcpcopyError(code, message, {
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  });
}
