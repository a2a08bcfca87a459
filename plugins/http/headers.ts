/**
 * The header fields of one message: in order, with their case and spelling, and edited line by line, so that only the
 * lines that were edited differ.
 */
import { equalsIgnoringCase, isBlank, isToken, latin1, standsAt, trimEnd } from './ascii.ts';
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

/** A line that is no longer as it was captured. */
interface Edited {
  /** The captured line it replaces; -1: it was added. */
  readonly span: number;
  /** Of an added line. */
  readonly name: string;
  readonly value: string;
}

/** A captured line, by where its four numbers begin in the spans; or an edited one. */
type Line = number | Edited;

/** How the lines of a list stood at some moment. */
export type HeaderState = readonly Line[];

export class HeaderList implements HttpHeaders {
  readonly #head: Buffer;
  /** Start and end of name and value of each captured line. */
  readonly #spans: readonly number[];
  readonly #captured: HeaderState;
  /** Never changed in place, so that an earlier state can be kept, and brought back. */
  #lines: HeaderState;

  /** `spans`: as in `LlhttpParser`, into `head`. Neither changes any more. */
  constructor(head: Buffer, spans: readonly number[]) {
    this.#head = head;
    this.#spans = spans;
    this.#captured = linesOf(spans.length);
    this.#lines = this.#captured;
  }

  /** Some line differs from what was captured. */
  get changed(): boolean {
    return this.#lines !== this.#captured;
  }

  get state(): HeaderState {
    return this.#lines;
  }

  set state(state: HeaderState) {
    this.#lines = state;
  }

  get size(): number {
    return this.#lines.length;
  }

  has(name: string): boolean {
    return this.#find(name.toLowerCase()) >= 0;
  }

  get(name: string): string | undefined {
    const index = this.#find(name.toLowerCase());
    return index < 0 ? undefined : this.#value(this.#lines[index]!);
  }

  getAll(name: string): string[] {
    const lower = name.toLowerCase();
    return this.#lines.filter((line) => this.#matches(line, lower)).map((line) => this.#value(line));
  }

  set(name: string, value: string): void {
    const lower = name.toLowerCase();
    refuseFraming(name, lower);
    this.#write(name, lower, value);
  }

  add(name: string, value: string): void {
    refuseFraming(name, name.toLowerCase());
    this.#append(name, checkedValue(name, value));
  }

  delete(name: string): boolean {
    const lower = name.toLowerCase();
    refuseFraming(name, lower);
    return this.#removeAfter(-1, lower);
  }

  /** `set` for every field: for who keeps body and framing together. */
  write(name: string, value: string): void {
    this.#write(name, name.toLowerCase(), value);
  }

  #write(name: string, lower: string, value: string): void {
    const checked = checkedValue(name, value);
    const index = this.#find(lower);
    if (index < 0) {
      this.#append(name, checked);
      return;
    }
    const line = this.#lines[index]!;
    if (!this.#hasValue(line, checked)) {
      const edited = typeof line === 'number' ? { span: line, name: '', value: checked } : { ...line, value: checked };
      this.#lines = replaced(this.#lines, index, edited);
    }
    this.#removeAfter(index, lower);
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, string]> {
    for (const line of this.#lines) yield [this.#name(line), this.#value(line)] as const;
  }

  /** A copy with all changes made so far, to be changed by itself. */
  clone(): HeaderList {
    const copy = new HeaderList(this.#head, this.#spans);
    if (this.changed) copy.#lines = this.#lines;
    return copy;
  }

  /** Adds all lines; the ones untouched as they were captured. */
  serialize(out: HeadWriter): void {
    const [head, spans] = [this.#head, this.#spans];
    for (const line of this.#lines) {
      if (typeof line === 'number') {
        let end = spans[line + 3]!;
        while (isBlank(head[end]!)) end++;
        out.captured(spans[line]!, end + 2);
      } else if (line.span < 0) {
        // One after the other: a text put together would have to be taken apart again.
        out.text(line.name);
        out.text(': ');
        out.text(line.value);
        out.text('\r\n');
      } else {
        out.captured(spans[line.span]!, spans[line.span + 2]!);
        out.text(line.value);
        out.text('\r\n');
      }
    }
  }

  #append(name: string, value: string): void {
    if (!isToken(name)) throw new TypeError(`not a header name: ${JSON.stringify(name)}`);
    this.#lines = [...this.#lines, { span: -1, name, value }];
  }

  #removeAfter(index: number, lower: string): boolean {
    const next = this.#find(lower, index + 1);
    if (next < 0) return false;
    this.#lines = this.#lines.filter((line, i) => i < next || !this.#matches(line, lower));
    return true;
  }

  #find(lower: string, from = 0): number {
    const lines = this.#lines;
    for (let i = from; i < lines.length; i++) if (this.#matches(lines[i]!, lower)) return i;
    return -1;
  }

  #matches(line: Line, lower: string): boolean {
    const span = typeof line === 'number' ? line : line.span;
    if (span < 0) return this.#name(line).toLowerCase() === lower;
    return equalsIgnoringCase(this.#head, this.#spans[span]!, this.#spans[span + 1]!, lower);
  }

  #name(line: Line): string {
    const span = typeof line === 'number' ? line : line.span;
    if (span < 0) return (line as Edited).name;
    return latin1(this.#head, this.#spans[span]!, this.#spans[span + 1]!);
  }

  /** Whether that is a line's value, without making a string of it. */
  #hasValue(line: Line, value: string): boolean {
    if (typeof line !== 'number') return line.value === value;
    const start = this.#spans[line + 2]!;
    const length = trimEnd(this.#head, start, this.#spans[line + 3]!) - start;
    return length === value.length && standsAt(this.#head, start, value);
  }

  #value(line: Line): string {
    if (typeof line !== 'number') return line.value;
    const [start, end] = [this.#spans[line + 2]!, this.#spans[line + 3]!];
    return latin1(this.#head, start, trimEnd(this.#head, start, end));
  }
}

/** As `with` does, which is slow where numbers and objects come together in an array. */
function replaced(lines: HeaderState, index: number, line: Edited): HeaderState {
  const changed = new Array<Line>(lines.length);
  for (let i = 0; i < changed.length; i++) changed[i] = i === index ? line : lines[i]!;
  return changed;
}

/** As captured, by how many numbers they have: shared, since a list never changes its lines in place. */
const captured: HeaderState[] = [];
/** More lines than this are not worth keeping for the next message. */
const MOST_SHARED = 256;

function linesOf(spanLength: number): HeaderState {
  const known = captured[spanLength];
  if (known !== undefined) return known;
  const lines: number[] = [];
  for (let span = 0; span < spanLength; span += 4) lines.push(span);
  if (spanLength <= MOST_SHARED) captured[spanLength] = lines;
  return lines;
}

function refuseFraming(name: string, lower: string): void {
  if (!FRAMING.includes(lower)) return;
  throw new TypeError(`${name} follows the body: set that instead`);
}

/** The value that was checked last: a plugin tends to set the same again and again. */
let fine = '';

function checkedValue(name: string, value: string): string {
  if (value === fine) return value;
  if (typeof value !== 'string') throw new TypeError(`a value for ${name} is text`);
  if (!VALUE.test(value)) throw new TypeError(`not a value for ${name}: control or non-Latin-1 characters`);
  if (/^[\t ]|[\t ]$/.test(value)) return value.replace(/^[\t ]+|[\t ]+$/g, '');
  fine = value;
  return value;
}
