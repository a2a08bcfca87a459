/** JSON in a body, changed where it stands: what is not changed keeps its exact spelling, also numbers and doubled keys. */
import { scanJson, type JsonEdit, type JsonPath } from './json-scan.ts';

/** What becomes of a value: nothing new, gone with its key, or another in its place. */
export type JsonVerdict = 'keep' | 'remove' | { readonly value: unknown };

/** Pointers are those of RFC 6901: `/user/name`, `/items/0`, empty for the whole; a `TypeError` where one is none. */
export interface HttpJson {
  /** The value there; `undefined` where there is none. Of a key that stands twice, the last. */
  get(pointer: string): unknown;
  /**
   * Puts a value there, which may be new in its object, or next in its array (`-` or the length as index). Returns
   * whether that place exists.
   */
  set(pointer: string, value: unknown): boolean;
  /** Removes what is there, with its key; returns whether anything was. The whole text cannot be removed. */
  delete(pointer: string): boolean;
  /** Asks about each value, those inside before what holds them; returns whether anything changed. */
  edit(visit: (path: JsonPath, read: () => unknown) => JsonVerdict): boolean;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class JsonText implements HttpJson {
  #text: string;
  readonly #write: (bytes: Uint8Array) => void;

  private constructor(text: string, write: (bytes: Uint8Array) => void) {
    this.#text = text;
    this.#write = write;
  }

  /** `undefined`: it is no JSON, or deeper than we read. `write` is given the new text after each change. */
  static read(content: Uint8Array, write: (bytes: Uint8Array) => void): JsonText | undefined {
    try {
      const text = UTF8.decode(content);
      JSON.parse(text);
      return scanJson(text, () => undefined) && new JsonText(text, write);
    } catch {
      return undefined;
    }
  }

  get(pointer: string): unknown {
    const wanted = parsePointer(pointer);
    let found: string | undefined;
    scanJson(this.#text, (path, { start, end }) => {
      if (leadsTo(path, wanted)) found = this.#text.slice(start, end);
    });
    return found === undefined ? undefined : JSON.parse(found);
  }

  set(pointer: string, value: unknown): boolean {
    const wanted = parsePointer(pointer);
    const text = serialize(value);
    const replaced = scanJson(this.#text, (path) => (leadsTo(path, wanted) ? { text } : undefined))!;
    if (replaced.length > 0) return this.#apply(replaced);
    const name = wanted.at(-1)!;
    const holder = wanted.slice(0, -1);
    return this.#apply(
      scanJson(this.#text, (path, { kind, size }) => {
        if (kind === 'scalar' || !leadsTo(path, holder)) return undefined;
        if (kind === 'array' && name !== '-' && name !== String(size)) return undefined;
        return { insert: `${size > 0 ? ',' : ''}${kind === 'object' ? `${JSON.stringify(name)}:` : ''}${text}` };
      })!,
    );
  }

  delete(pointer: string): boolean {
    const wanted = parsePointer(pointer);
    if (wanted.length === 0) throw new TypeError('the whole text cannot be removed');
    return this.#apply(scanJson(this.#text, (path) => (leadsTo(path, wanted) ? 'remove' : undefined))!);
  }

  edit(visit: (path: JsonPath, read: () => unknown) => JsonVerdict): boolean {
    return this.#apply(
      scanJson(this.#text, (path, { start, end }) => {
        const verdict = visit(path, () => JSON.parse(this.#text.slice(start, end)));
        if (verdict === 'keep') return undefined;
        if (verdict !== 'remove') return { text: serialize(verdict.value) };
        if (path.length === 0) throw new TypeError('the whole text cannot be removed');
        return 'remove';
      })!,
    );
  }

  #apply(edits: readonly JsonEdit[]): boolean {
    if (edits.length === 0) return false;
    const parts: string[] = [];
    let at = 0;
    for (const { start, end, text } of edits) {
      parts.push(this.#text.slice(at, start), text);
      at = end;
    }
    parts.push(this.#text.slice(at));
    this.#text = parts.join('');
    this.#write(Buffer.from(this.#text));
    return true;
  }
}

/** The keys of a pointer (RFC 6901 §3, §4). Throws where it is none. */
function parsePointer(pointer: string): readonly string[] {
  if (!/^(\/([^~/]|~[01])*)*$/.test(pointer)) throw new TypeError(`not a JSON pointer: ${JSON.stringify(pointer)}`);
  const keys = pointer.split('/').slice(1);
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function leadsTo(path: JsonPath, keys: readonly string[]): boolean {
  return path.length === keys.length && keys.every((key, i) => String(path[i]) === key);
}

function serialize(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}
