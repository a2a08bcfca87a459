/** A request target in its parts (RFC 9112 §3.2), as text, so that a part can be changed and the others stay. */
export interface TargetParts {
  /** Scheme and authority of an absolute target, as in `http://example.com`; else empty. */
  readonly origin: string;
  readonly path: string;
  /** With its `?`; empty without one. */
  readonly query: string;
  /** With its `#`; it has no business in a request, but some send it. */
  readonly fragment: string;
}

const ABSOLUTE = /^[A-Za-z]+:\/\/[^/?#]*/;

export function splitTarget(target: string): TargetParts {
  const origin = ABSOLUTE.exec(target)?.[0] ?? '';
  const hash = indexOrEnd(target, '#', origin.length);
  const mark = Math.min(indexOrEnd(target, '?', origin.length), hash);
  return {
    origin,
    path: target.slice(origin.length, mark),
    query: target.slice(mark, hash),
    fragment: target.slice(hash),
  };
}

export function joinTarget(parts: TargetParts): string {
  return parts.origin + parts.path + parts.query + parts.fragment;
}

/** What llhttp and RFC 3986 agree on: visible ASCII, from a path, from an origin, or the asterisk of OPTIONS. */
const TARGET =
  /^(?:\*|(?:\/|[A-Za-z]+:\/\/(?:[\w.~!$&'()*+,;=:%-]*@)?[\w.~!$&'()*+,;=:%[\]-]+(?=[/?]|$))[\x21-\x7e]*)$/;

/** `target`, when it can stand in a request line of any method but CONNECT. Throws otherwise. */
export function checkedTarget(target: string): string {
  if (TARGET.test(target)) return target;
  throw new TypeError(`not a request target: ${JSON.stringify(target)}`);
}

/** A path to put into a target. Throws when it would not stay one. */
export function checkedPath(path: string): string {
  if (/^\/[\x21-\x7e]*$/.test(path) && !/[?#]/.test(path)) return path;
  throw new TypeError(`not a path (percent-encode what is not ASCII): ${JSON.stringify(path)}`);
}

function indexOrEnd(text: string, wanted: string, from: number): number {
  const index = text.indexOf(wanted, from);
  return index < 0 ? text.length : index;
}
