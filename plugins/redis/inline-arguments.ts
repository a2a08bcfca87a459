/**
 * The arguments of an inline request, split as redis-server does: at white space, with double quotes (`\n`, `\x41`) and
 * single ones (`\'`), and a closing quote before white space or the end only.
 */
const DOUBLE = 0x22;
const SINGLE = 0x27;
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, a: 0x07 };

/** The arguments in `bytes[start, end)`; `undefined` where quotes do not balance. */
export function splitInline(bytes: Uint8Array, start: number, end: number): Uint8Array[] | undefined {
  const args: Uint8Array[] = [];
  let at = start;
  for (;;) {
    while (at < end && isSpace(bytes[at]!)) at++;
    if (at === end) return args;
    const word: number[] = [];
    let quote = 0;
    for (;;) {
      if (at === end) {
        if (quote !== 0) return undefined;
        break;
      }
      const byte = bytes[at]!;
      if (quote === 0) {
        if (endsWord(byte)) break;
        if (byte === DOUBLE || byte === SINGLE) quote = byte;
        else word.push(byte);
        at++;
      } else if (byte === BACKSLASH) {
        at = unescape(bytes, at, end, quote, word);
      } else if (byte === quote) {
        at++;
        if (at < end && !isSpace(bytes[at]!)) return undefined;
        break;
      } else {
        word.push(byte);
        at++;
      }
    }
    args.push(Uint8Array.from(word));
  }
}

/** Reads the backslash at `at` and what it stands for; returns where to go on. */
function unescape(bytes: Uint8Array, at: number, end: number, quote: number, word: number[]): number {
  const next = at + 1 < end ? bytes[at + 1]! : -1;
  if (quote === SINGLE) {
    word.push(next === SINGLE ? SINGLE : BACKSLASH);
    return next === SINGLE ? at + 2 : at + 1;
  }
  if (next < 0) {
    word.push(BACKSLASH);
    return at + 1;
  }
  const letter = String.fromCharCode(next);
  const hex = letter === 'x' && at + 3 < end ? String.fromCharCode(bytes[at + 2]!, bytes[at + 3]!) : '';
  if (/^[0-9a-fA-F]{2}$/.test(hex)) {
    word.push(Number.parseInt(hex, 16));
    return at + 4;
  }
  word.push(ESCAPES[letter] ?? next);
  return at + 2;
}

/** C's isspace. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** What ends a word outside quotes; vertical tabs and form feeds do not. */
function endsWord(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
