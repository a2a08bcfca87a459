/** Secrets in JSON bodies; and which bodies may hold them. */
import type { HttpRequest } from 'tcpcopy/plugin';
import type { Scrub } from './scrub.ts';

/** Types that never are JSON, whoever sends them; anything else may be, whatever it is called. */
const NEVER_JSON = /^\s*(multipart|image|audio|video|font)\//i;
const CALLED_JSON = /[/+]json\s*(;|$)/i;
/** How JSON of objects or arrays begins, in any encoding: byte order marks, zeros and blanks before the bracket. */
const LIKE_JSON = /^[\xef\xbb\xbf\xfe\xff\x00\s]*[[{]/;

/** Whether a body that begins behind this head may have to be scrubbed. */
export function mayHoldJson(request: HttpRequest): boolean {
  const types = request.headers.getAll('Content-Type');
  // Which of several a server goes by is its own affair.
  return types.length === 0 || !types.every((type) => NEVER_JSON.test(type));
}

/** Tells which values are secret: those under a key, anywhere and in any case, and those that pointers lead to. */
export function secretPlaces(fields: readonly string[]): (path: readonly (string | number)[]) => boolean {
  const keys = new Set(fields.filter((field) => !field.startsWith('/')).map((field) => field.toLowerCase()));
  const pointers = fields.filter((field) => field.startsWith('/')).map((pointer) => pointer.slice(1).split('/'));
  const paths = pointers.map((steps) => steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')));
  return (path) => {
    const last = path.at(-1);
    if (typeof last === 'string' && keys.has(last.toLowerCase())) return true;
    return paths.some((steps) => steps.length === path.length && steps.every((step, i) => String(path[i]) === step));
  };
}

/** Scrubs a body. What cannot be looked into and may hold secrets has a reason why it must not be sent. */
export function scrubJson(
  request: HttpRequest,
  isSecret: (path: readonly (string | number)[]) => boolean,
  scrub: Scrub,
): string | undefined {
  if (request.body?.length === 0 || !mayHoldJson(request)) return undefined;
  const { body, json } = request;
  if (body === undefined) return 'body too long or cut off';
  // The content is compressed, whatever it looks like (RFC 9112 §7.2).
  if (request.chunked && !/^chunked$/i.test(request.headers.get('Transfer-Encoding') ?? '')) return 'body is encoded';
  if (json === undefined) {
    if (request.headers.has('Content-Encoding')) return 'body is encoded';
    const called = request.headers.getAll('Content-Type').some((type) => CALLED_JSON.test(type));
    return called || LIKE_JSON.test(Buffer.from(body).toString('latin1')) ? 'body is no JSON' : undefined;
  }
  json.edit((path, read) => {
    if (!isSecret(path)) return 'keep';
    const value = read();
    const scrubbed = scrub(typeof value === 'string' ? value : JSON.stringify(value));
    return scrubbed === undefined ? 'remove' : { value: scrubbed };
  });
  return undefined;
}
