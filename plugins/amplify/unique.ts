/** What of an HTTP request is made every copy's own. */
import type { HttpRequest } from 'tcpcopy/plugin';

/** A header field, a query parameter, or a value in a JSON body, by its pointer. */
export interface Place {
  readonly kind: 'header' | 'query' | 'json';
  readonly name: string;
}

const PLACE = /^(?:(header|query):([^\s;,=]+)|json:((?:\/(?:[^~/]|~[01])*)+))$/;
const JSON_TYPE = /^\s*[^;\s]*[/+]json\s*(;|$)/i;

export function parsePlace(text: string): Place | undefined {
  const [, kind, name, pointer] = PLACE.exec(text) ?? [];
  if (pointer !== undefined) return { kind: 'json', name: pointer };
  return name === undefined ? undefined : { kind: kind as Place['kind'], name };
}

/** Whether a body that begins behind this head may hold one of the places. */
export function mayHold({ headers }: HttpRequest, places: readonly Place[]): boolean {
  return places.some(({ kind }) => kind === 'json') && JSON_TYPE.test(headers.get('Content-Type') ?? '');
}

/** Puts other values into the places there are of `request`; returns whether there were any. */
export function changePlaces(
  request: HttpRequest,
  places: readonly Place[],
  change: (value: string) => string,
): boolean {
  let changed = false;
  for (const { kind, name } of places) {
    const holder = kind === 'header' ? request.headers : request.query;
    const value = kind === 'json' ? undefined : holder.get(name);
    if (value !== undefined) holder.set(name, change(value));
    changed = (kind === 'json' ? changeJson(request, name, change) : value !== undefined) || changed;
  }
  return changed;
}

/** Texts, and numbers without sign and fraction; nothing else has a shape to keep. */
function changeJson(request: HttpRequest, pointer: string, change: (value: string) => string): boolean {
  const json = mayHold(request, [{ kind: 'json', name: pointer }]) ? request.json : undefined;
  const value = json?.get(pointer);
  if (typeof value === 'string') return json!.set(pointer, change(value));
  if (!Number.isSafeInteger(value) || (value as number) < 0) return false;
  return json!.set(pointer, Number(change(String(value))));
}
