/** Whether a request reads or writes: by its method, but for what the options say of single paths. */
import { parsePattern, type Effect, type Matches } from 'tcpcopy/plugin';
import type { HttpRequest } from './request.ts';

/** Methods that are defined not to ask for a change (RFC 9110 §9.2.1). */
const SAFE = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];
/** Fields with which frameworks let a request say that it is meant to be another method. */
const OVERRIDES = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'];

/** One exception: `METHOD PATH`. */
export type RequestTest = (request: HttpRequest) => boolean;

/** `GET /logout`, `* /admin/*`, `POST /^.search$/`; `undefined`: it is none. */
export function parseRequestTest(text: string): RequestTest | undefined {
  const [, method = '', path = ''] = /^(\*|[!#$%&'*+\-.^_`|~0-9A-Za-z]+) +(\S+)$/.exec(text.trim()) ?? [];
  const matches: Matches | undefined = path === '' ? undefined : parsePattern(path);
  return matches && ((request) => (method === '*' || request.method === method) && matches(request.path));
}

/** What is in both lists writes. */
export function effectOf(request: HttpRequest, reads: readonly RequestTest[], writes: readonly RequestTest[]): Effect {
  const is = (test: RequestTest): boolean => test(request);
  if (writes.some(is)) return 'write';
  if (reads.some(is)) return 'read';
  return SAFE.includes(request.method) && OVERRIDES.every((name) => request.headers.getAll(name).every(isSafe))
    ? 'read'
    : 'write';
}

function isSafe(method: string): boolean {
  return SAFE.includes(method.trim().toUpperCase());
}
