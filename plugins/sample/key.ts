/** What identifies a request's user: the value of a header, a cookie or a query parameter. */
export type KeyKind = 'header' | 'cookie' | 'query';

/** As much of a request as is looked at. */
interface Keyed {
  readonly headers: { get(name: string): string | undefined; getAll(name: string): readonly string[] };
  readonly query: { get(key: string): string | undefined };
}

/** `undefined`: the request has no such thing. */
export function readKey(request: Keyed, kind: KeyKind, name: string): string | undefined {
  if (kind === 'header') return request.headers.get(name);
  if (kind === 'query') return request.query.get(name);
  for (const line of request.headers.getAll('Cookie')) {
    for (const pair of line.split(';')) {
      const mark = pair.indexOf('=');
      if (mark > 0 && pair.slice(0, mark).trim() === name) return pair.slice(mark + 1).trim();
    }
  }
  return undefined;
}
