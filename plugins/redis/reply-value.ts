/** What a reply says, as a value of JavaScript. */

/**
 * Strings are UTF-8 text; numbers that a double cannot hold are bigints; lists, sets and pushes are arrays, maps are arrays
 * of pairs; an error is one of ours. Attributes are left out.
 */
export type RedisValue = string | number | bigint | boolean | null | RedisError | readonly RedisValue[];

export class RedisError {
  /** `WRONGTYPE`, `ERR`. */
  readonly code: string;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.code = text.split(' ', 1)[0]!;
  }
}

/** A list under way: its values so far, how many it will have, and whether it is an attribute or made of pairs. */
interface Open {
  readonly values: RedisValue[];
  readonly count: number;
  readonly kind: 'list' | 'map' | 'attribute';
}

/** The value of one whole reply. */
export function readValue(bytes: Buffer): RedisValue {
  const stack: Open[] = [];
  let at = 0;
  for (;;) {
    const type = String.fromCharCode(bytes[at]!);
    const lineEnd = bytes.indexOf(0x0a, at);
    const line = bytes.toString('utf8', at + 1, bytes[lineEnd - 1] === 0x0d ? lineEnd - 1 : lineEnd);
    at = lineEnd + 1;
    let value: RedisValue;
    if ('$!='.includes(type) && !line.startsWith('-')) {
      const text = bytes.toString('utf8', at, at + Number(line));
      at += Number(line) + 2;
      value = type === '!' ? new RedisError(text) : type === '=' ? text.slice(4) : text;
    } else if ('*~>%|'.includes(type) && !line.startsWith('-')) {
      const kind = type === '%' ? 'map' : type === '|' ? 'attribute' : 'list';
      stack.push({ values: [], count: Number(line) * (kind === 'list' ? 1 : 2), kind });
      if (Number(line) > 0) continue;
      value = null;
    } else {
      value = readLine(type, line);
    }
    // Closes what is complete with this value.
    for (;;) {
      const open = stack.at(-1);
      if (open === undefined) return value;
      if (open.count > 0) open.values.push(value);
      if (open.values.length < open.count) break;
      stack.pop();
      if (open.kind === 'attribute') break;
      value = open.kind === 'map' ? pairs(open.values) : open.values;
    }
  }
}

function readLine(type: string, line: string): RedisValue {
  switch (type) {
    case '-':
      return new RedisError(line);
    case ':':
      return Number.isSafeInteger(Number(line)) ? Number(line) : bigNumber(line);
    case '(':
      return bigNumber(line);
    case ',':
      return line === 'inf' ? Infinity : line === '-inf' ? -Infinity : Number(line);
    case '#':
      return line === 't';
    case '+':
      return line;
    default:
      return null;
  }
}

function pairs(values: readonly RedisValue[]): RedisValue[] {
  return Array.from({ length: values.length / 2 }, (_, i) => [values[i * 2]!, values[i * 2 + 1]!]);
}

function bigNumber(line: string): bigint | number {
  return /^[+-]?\d+$/.test(line) ? BigInt(line) : NaN;
}
