/**
 * Finds where one reply after another ends, in RESP2 and RESP3 alike, however the bytes are cut and whatever the size: only
 * lines and counts are read. (https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md)
 *
 * Nothing is remembered of how values are nested: an aggregate adds its elements to those still to come, and an attribute
 * adds its pairs before the value that it belongs to.
 */
export const MORE = 0;
export const REPLY = 1;
/** The bytes are no reply; `failure` tells why. */
export const FAILED = 2;
export type ReplyResult = typeof MORE | typeof REPLY | typeof FAILED;

/** Lines above this, and more elements than these, are no reply of a server that means well. */
const LONGEST_LINE = 1 << 20;
const MOST_ELEMENTS = 2 ** 40;

const LF = 0x0a;
const MINUS = 0x2d;
const ZERO = 0x30;

/** What follows a type's line: nothing, so many bytes and a line end, so many values, twice as many. */
const LINES = charCodes('+-:_,#(');
const BULKS = charCodes('$!=');
const LISTS = charCodes('*~>');
const MAP = '%'.charCodeAt(0);
const ATTRIBUTE = '|'.charCodeAt(0);

export class ReplyScanner {
  /** Where the last `feed` stopped: behind the reply, or at the end of what there is. */
  position = 0;
  failure = '';
  /** The reply's own type, one of `+-:_,#($!=*~>%`: what attributes before it are of is not that. */
  type = 0;
  /** Values still to come, the one under way included; 0 between replies. */
  #values = 0;
  /** Of the value under way. */
  #valueType = 0;
  /** Bytes of a bulk string and its line end still to come. */
  #remaining = 0;
  #lineLength = 0;
  #number = 0;
  #negative = false;
  #digits = 0;

  /** Nothing of a reply has been fed. */
  get idle(): boolean {
    return this.#values === 0;
  }

  /** Bytes still to come of what has a known length; a gap that is shorter leaves the end of the reply known. */
  get remaining(): number {
    return this.#remaining;
  }

  /** Bytes of the bulk string under way are missing: fewer than `remaining`. */
  skip(length: number): void {
    this.#remaining -= length;
  }

  feed(bytes: Uint8Array, from: number, to: number): ReplyResult {
    let at = from;
    while (at < to) {
      if (this.#remaining > 0) {
        const length = Math.min(this.#remaining, to - at);
        at += length;
        this.#remaining -= length;
        if (this.#remaining > 0 || --this.#values > 0) continue;
        this.position = at;
        return REPLY;
      }
      if (this.#valueType === 0) {
        this.#begin(bytes[at++]!);
        continue;
      }
      const byte = bytes[at++]!;
      if (byte !== LF) {
        if (++this.#lineLength > LONGEST_LINE) return this.#fail('line-too-long', at);
        if (!isLine(this.#valueType)) this.#digit(byte);
        continue;
      }
      const problem = this.#endLine();
      if (problem !== undefined) return this.#fail(problem, at);
      if (this.#values > 0) continue;
      this.position = at;
      return REPLY;
    }
    this.position = at;
    return MORE;
  }

  #begin(type: number): void {
    if (this.#values === 0) {
      this.#values = 1;
      this.type = 0;
    }
    if (this.type === 0 && type !== ATTRIBUTE) this.type = type;
    this.#valueType = type;
    this.#lineLength = 0;
    this.#number = 0;
    this.#negative = false;
    this.#digits = 0;
  }

  /** A byte of a length or count; the CR at its end is none of it. */
  #digit(byte: number): void {
    const digit = byte - ZERO;
    if (digit >= 0 && digit <= 9) {
      this.#number = this.#number * 10 + digit;
      this.#digits++;
    } else if (byte === MINUS && this.#lineLength === 1) {
      this.#negative = true;
    } else if (byte !== 0x0d) {
      this.#digits = NaN;
    }
  }

  /** The line of a value is whole; returns what is wrong with it. */
  #endLine(): string | undefined {
    const type = this.#valueType;
    this.#valueType = 0;
    if (isLine(type)) {
      this.#values--;
      return undefined;
    }
    // NaN when there was something else than digits, and no number at all.
    if (!(this.#digits > 0)) return 'invalid-length';
    if (BULKS.includes(type)) {
      // A length below zero is RESP2's null.
      if (this.#negative) this.#values--;
      else this.#remaining = this.#number + 2;
      return undefined;
    }
    const elements = this.#negative ? 0 : this.#number;
    if (LISTS.includes(type)) this.#values += elements - 1;
    else if (type === MAP) this.#values += elements * 2 - 1;
    else if (type === ATTRIBUTE) this.#values += elements * 2;
    else return 'unknown-type';
    return this.#values > MOST_ELEMENTS ? 'too-many-elements' : undefined;
  }

  #fail(failure: string, at: number): ReplyResult {
    this.failure = failure;
    this.position = at;
    return FAILED;
  }
}

function isLine(type: number): boolean {
  return LINES.includes(type);
}

function charCodes(text: string): readonly number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}
