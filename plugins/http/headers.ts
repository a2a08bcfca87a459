/**
 * The header fields of one message: in order, with their case and spelling, and edited line by line, so that only the
 * lines that were edited differ.
 */
import { equalsIgnoringCase, isBlank, isToken, latin1, trimEnd } from './ascii.ts';
import type { HeadWriter } from './head-writer.ts';

/** What plugins see. Names match whatever their case; values are Latin-1 text without the white space around them. */
export interface HttpHeaders extends Iterable<readonly [name: string, value: string]> {
  /** Lines. */
  readonly size: number;
  has(name: string): boolean;
  /** The value of the first line of this name. */
  get(name: string): string | undefined;
  getAll(name: string): string[];
  /** Changes the first line of this name, whose place and spelling stay, and removes others; or adds one at the end. */
  set(name: string, value: string): void;
  /** Adds a line at the end. */
  add(name: string, value: string): void;
  /** Removes all lines of this name; returns whether there were any. */
  delete(name: string): boolean;
}

/** Field content of RFC 9110 §5.5: no control characters but tab, so no line can be smuggled in. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** They say where the message ends, and follow the body by themselves. */
const FRAMING = ['content-length', 'transfer-encoding'];

/** One line: as captured (offsets into the head), or with a new value, or new altogether. */
interface Line {
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** Only of a line that was added. */
  readonly newName: string | undefined;
  newValue: string | undefined;
}

export class HeaderList implements HttpHeaders {
  /** Some line differs from what was captured. */
  changed = false;
  readonly #head: Uint8Array;
  readonly #lines: Line[];

  /** `spans`: four numbers a line, as in `LlhttpParser`, into `head`, which must not change any more. */
  constructor(head: Uint8Array, spans: Int32Array | HeaderList) {
    this.#head = head;
    if (spans instanceof HeaderList) {
      this.#lines = spans.#lines.map((line) => ({ ...line }));
      this.changed = spans.changed;
      return;
    }
    this.#lines = [];
    for (let i = 0; i < spans.length; i += 4) {
      const valueStart = spans[i + 2]!;
      this.#lines.push({
        nameStart: spans[i]!,
        nameEnd: spans[i + 1]!,
        valueStart,
        valueEnd: trimEnd(head, valueStart, spans[i + 3]!),
        newName: undefined,
        newValue: undefined,
      });
    }
  }

  get size(): number {
    return this.#lines.length;
  }

  has(name: string): boolean {
    return this.#find(name.toLowerCase()) !== undefined;
  }

  get(name: string): string | undefined {
    const line = this.#find(name.toLowerCase());
    return line && this.#value(line);
  }

  getAll(name: string): string[] {
    const lower = name.toLowerCase();
    return this.#lines.filter((line) => this.#matches(line, lower)).map((line) => this.#value(line));
  }

  set(name: string, value: string): void {
    refuseFraming(name);
    this.write(name, value);
  }

  add(name: string, value: string): void {
    refuseFraming(name);
    this.#append(name, checkedValue(name, value));
  }

  delete(name: string): boolean {
    refuseFraming(name);
    return this.#removeAfter(-1, name.toLowerCase());
  }

  /** `set` for every field: for who keeps body and framing together. */
  write(name: string, value: string): void {
    const checked = checkedValue(name, value);
    const lower = name.toLowerCase();
    const line = this.#find(lower);
    if (line === undefined) {
      this.#append(name, checked);
      return;
    }
    if (this.#value(line) !== checked) {
      line.newValue = checked;
      this.changed = true;
    }
    this.#removeAfter(this.#lines.indexOf(line), lower);
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, string]> {
    for (const line of this.#lines) yield [this.#name(line), this.#value(line)] as const;
  }

  /** Adds all lines; the ones untouched as they were captured. */
  serialize(out: HeadWriter): void {
    for (const line of this.#lines) {
      if (line.newName !== undefined) {
        out.text(`${line.newName}: ${line.newValue ?? ''}\r\n`);
      } else if (line.newValue !== undefined) {
        out.captured(line.nameStart, separatorEnd(line));
        out.text(`${line.newValue}\r\n`);
      } else {
        out.captured(line.nameStart, lineEnd(this.#head, line));
      }
    }
  }

  #append(name: string, value: string): void {
    if (!isToken(name)) throw new TypeError(`not a header name: ${JSON.stringify(name)}`);
    this.#lines.push({ nameStart: 0, nameEnd: 0, valueStart: 0, valueEnd: 0, newName: name, newValue: value });
    this.changed = true;
  }

  #removeAfter(index: number, lower: string): boolean {
    const kept = this.#lines.filter((line, i) => i <= index || !this.#matches(line, lower));
    if (kept.length === this.#lines.length) return false;
    this.#lines.splice(0, this.#lines.length, ...kept);
    this.changed = true;
    return true;
  }

  #find(lower: string): Line | undefined {
    for (const line of this.#lines) if (this.#matches(line, lower)) return line;
    return undefined;
  }

  #matches(line: Line, lower: string): boolean {
    if (line.newName !== undefined) return line.newName.toLowerCase() === lower;
    return equalsIgnoringCase(this.#head, line.nameStart, line.nameEnd, lower);
  }

  #name(line: Line): string {
    return line.newName ?? latin1(this.#head, line.nameStart, line.nameEnd);
  }

  #value(line: Line): string {
    return line.newValue ?? latin1(this.#head, line.valueStart, line.valueEnd);
  }
}

function refuseFraming(name: string): void {
  if (!FRAMING.includes(name.toLowerCase())) return;
  throw new TypeError(`${name} follows the body: set that instead`);
}

function checkedValue(name: string, value: string): string {
  if (!VALUE.test(value)) throw new TypeError(`not a value for ${name}: control or non-Latin-1 characters`);
  return value.replace(/^[\t ]+|[\t ]+$/g, '');
}

/** Where the value begins, or would: after the colon and the white space that was captured. */
function separatorEnd(line: Line): number {
  return Math.max(line.valueStart, line.nameEnd + 1);
}

function lineEnd(head: Uint8Array, line: Line): number {
  let end = line.valueEnd;
  while (isBlank(head[end]!)) end++;
  return end + 2;
}
