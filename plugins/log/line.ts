/** One request as a line: fields with a blank between them, `-` for what is not known. */
import { formatEndpoint, type Duration, type Endpoint, type HttpRequest, type HttpResponse } from 'tcpcopy/plugin';

const LONGEST = 500;
const MICROS_PER_MS = 1_000;

/** Client, method, host, target, and bytes of the body. */
export function requestFields(request: HttpRequest, client: Endpoint, withQuery: boolean): string {
  const target = withQuery ? request.target : targetWithoutQuery(request.target);
  const what = visible(`${request.method} ${request.host ?? '-'} ${target}`);
  const length = request.contentLength ?? request.body?.length ?? (request.chunked ? undefined : 0);
  return `${formatEndpoint(client)} ${what} ${bytes(length)}`;
}

/** Status, bytes of the body, and how long it took. */
export function responseFields(response: HttpResponse | undefined, time: Duration | undefined): string {
  const status = response === undefined ? '-' : String(response.status);
  return `${status} ${bytes(response?.bodyLength)} ${took(time)}`;
}

export function took(time: Duration | undefined): string {
  return time === undefined ? '-' : `${(time / MICROS_PER_MS).toFixed(1)}ms`;
}

export function bytes(length: number | undefined): string {
  return length === undefined ? '-' : `${length}B`;
}

/** Neither query nor fragment, nor the password of a target that names a user. */
function targetWithoutQuery(target: string): string {
  return target.replace(/[?#].*$/, '').replace(/^([A-Za-z]+:\/\/)[^/]*@/, '$1');
}

/** As much of it as fits a line, without what a terminal would take for commands. */
export function visible(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.replace(/[^\x20-\x7e…]/g, '?');
}
