/** Where two bodies differ first. What stands there is never told. */
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { HttpResponse } from 'tcpcopy/plugin';

/** A few bytes may unpack to very many. */
const LARGEST_UNPACKED = 16 << 20;
const LIMIT = { maxOutputLength: LARGEST_UNPACKED };
const NOTHING = new Uint8Array(0);
const UNPACK: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: (bytes) => gunzipSync(bytes, LIMIT),
  deflate: (bytes) => inflateSync(bytes, LIMIT),
  br: (bytes) => brotliDecompressSync(bytes, LIMIT),
};

/**
 * `at /user/name` of JSON, `at byte 7` or `in length: …` of anything else; `undefined`: they are equal; `unknown`: one was
 * not kept, as one that is too long. `ignore`: JSON pointers to what may differ.
 */
export function bodyDifference(
  online: HttpResponse,
  target: HttpResponse,
  ignore: readonly string[],
): string | undefined {
  const [packedOnline, packedTarget] = [kept(online), kept(target)];
  if (packedOnline === undefined || packedTarget === undefined) return 'unknown';
  if (Buffer.compare(packedOnline, packedTarget) === 0) return undefined;
  const [a, b] = [unpacked(packedOnline, online), unpacked(packedTarget, target)];
  const [left, right] = [jsonOf(a), jsonOf(b)];
  if (left === undefined || right === undefined) return byteDifference(a, b);
  const pointer = jsonDifference(left.value, right.value, '', ignore.map(segments));
  return pointer === undefined ? undefined : pointer === '' ? 'as a whole' : `at ${pointer}`;
}

function kept({ body, bodyLength }: HttpResponse): Uint8Array | undefined {
  return body ?? (bodyLength === 0 ? NOTHING : undefined);
}

/** Two servers pack the same content in different ways. */
function unpacked(body: Uint8Array, { headers }: HttpResponse): Uint8Array {
  const unpack = UNPACK[headers.get('Content-Encoding')?.trim().toLowerCase() ?? ''];
  try {
    return unpack === undefined ? body : unpack(body);
  } catch {
    return body;
  }
}

function byteDifference(a: Uint8Array, b: Uint8Array): string | undefined {
  const common = Math.min(a.length, b.length);
  let at = 0;
  while (at < common && a[at] === b[at]) at++;
  if (at < common) return `at byte ${at}`;
  return a.length === b.length ? undefined : `in length: ${a.length} online, ${b.length} from the target`;
}

function jsonOf(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(Buffer.from(bytes).toString()) as unknown };
  } catch {
    return undefined;
  }
}

/** The pointer to the first difference, keys in the order of their names; `ignore`: what is left of the pointers below here. */
function jsonDifference(
  a: unknown,
  b: unknown,
  pointer: string,
  ignore: readonly (readonly string[])[],
): string | undefined {
  if (ignore.some((rest) => rest.length === 0) || Object.is(a, b)) return undefined;
  if (!isHolder(a) || !isHolder(b) || Array.isArray(a) !== Array.isArray(b)) return pointer;
  for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()) {
    const below = ignore.filter(([first]) => first === key || first === '*').map((rest) => rest.slice(1));
    const place = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const difference = jsonDifference(
      Object.hasOwn(a, key) ? a[key] : undefined,
      Object.hasOwn(b, key) ? b[key] : undefined,
      place,
      below,
    );
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function isHolder(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** RFC 6901. */
function segments(pointer: string): readonly string[] {
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
