/** What one run's HTTP codecs share: limits, policy, and counters. */
import { ReasonCounts, type ByteBudget } from 'tcpcopy/plugin';
import type { HttpRequest } from './request.ts';
import type { HttpResponse } from './response.ts';

export interface HttpSettings {
  /** The longest head, bytes; a connection that sends a longer one is unparsable from there on. */
  readonly headLimit: number;
  /** The longest body held for who asked for it, wire bytes; a longer one streams past unchanged, and is counted. */
  readonly bodyLimit: number;
  /** Bytes of heads and bodies that all connections together may hold. */
  readonly budget: ByteBudget;
  /** What to do with bytes that are not strictly HTTP/1.x: pass them on exactly as they are, or not at all. */
  readonly unparsable: 'raw' | 'drop';
  /** Whether somebody wants the body of this request; asked once for each that has one. */
  readonly wantsBody: ((request: HttpRequest) => boolean) | undefined;
  /** The same for a response, at its head. */
  readonly wantsResponseBody: ((response: HttpResponse) => boolean) | undefined;
  readonly stats: HttpStats;
}

export class HttpStats {
  requests = 0;
  /** Informational ones too. */
  responses = 0;
  /** Messages whose body was held, and those whose body was asked for but too long. */
  bodiesHeld = 0;
  bodiesOverLimit = 0;
  /** Connections that became something else by Upgrade or CONNECT; some come back. */
  upgrades = 0;
  /** Times the next request was found after a gap, or in a connection picked up in the middle. */
  resynchronised = 0;
  /** Times bytes turned out not to be HTTP, by what was wrong. */
  readonly unparsable = new ReasonCounts();
  /** Times responses turned out not to be readable, likewise. */
  readonly unreadable = new ReasonCounts();
}

export function httpSettings(chosen: Partial<HttpSettings> = {}): HttpSettings {
  return {
    headLimit: 64 << 10,
    bodyLimit: 1 << 20,
    budget: { used: 0, limit: 64 << 20 },
    unparsable: 'raw',
    wantsBody: undefined,
    wantsResponseBody: undefined,
    stats: new HttpStats(),
    ...chosen,
  };
}
