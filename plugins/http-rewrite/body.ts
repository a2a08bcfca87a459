/** Changes bodies. */
import type { HttpRequest, Replace } from 'tcpcopy/plugin';

export interface BodyChanges {
  /** Of JSON: pointers, with what to put there; and to what is removed. */
  readonly set: readonly (readonly [pointer: string, value: unknown])[];
  readonly remove: readonly string[];
  readonly replace: readonly Replace[];
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const JSON_TYPE = /^\s*[^;\s]*[/+]json\s*(;|$)/i;

/** Returns false where there is a body to change that cannot be read: too long, encoded, no JSON or no text. */
export function rewriteBody(request: HttpRequest, { set, remove, replace }: BodyChanges): boolean {
  const json = set.length + remove.length > 0 && JSON_TYPE.test(request.headers.get('Content-Type') ?? '');
  if (!json && replace.length === 0) return true;
  if (request.body?.length === 0) return true;
  let read = true;
  if (json) {
    const { json: text } = request;
    for (const [pointer, value] of set) text?.set(pointer, value);
    for (const pointer of remove) text?.delete(pointer);
    read = text !== undefined;
  }
  return replace.length === 0 ? read : replaceText(request, replace) && read;
}

function replaceText(request: HttpRequest, replace: readonly Replace[]): boolean {
  const { body, headers } = request;
  if (body === undefined || !/^identity$/i.test(headers.get('Content-Encoding') ?? 'identity')) return false;
  let text;
  try {
    text = UTF8.decode(body);
  } catch {
    return false;
  }
  const changed = replace.reduce((now, each) => each(now), text);
  if (changed !== text) request.body = Buffer.from(changed);
  return true;
}
