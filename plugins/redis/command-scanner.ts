/**
 * Finds where one command after another ends, however the bytes are cut, as redis-server's own reader does: a multibulk
 * request (`*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`) or an inline one (a line of text).
 *
 * Like redis-server it takes any byte for the one behind a CR, does not look at the two bytes behind a bulk string, reads
 * no number with a sign, a leading zero or a space, and skips counts of zero and less. What it waits for in vain (a NUL in
 * a line hides the rest of it) fails here at once: no command can follow either way.
 */
export const MORE = 0;
/** A multibulk request is whole. */
export const COMMAND = 1;
/** A line is whole: an inline request, or nothing at all. */
export const LINE = 2;
/** Bytes that redis-server skips. */
export const NOTHING = 3;
/** redis-server answers with a protocol error and closes; `failure` tells which. */
export const FAILED = 4;
export type ScanResult = typeof MORE | typeof COMMAND | typeof LINE | typeof NOTHING | typeof FAILED;

/**
 * redis-server's limits: a line without an end (64 KiB, looked at after each read of up to 16 KiB: up to the sum depends on
 * how it arrives), `proto-max-bulk-len`, and what an `int` holds.
 */
const LONGEST_LINE = (64 + 16) << 10;
const LONGEST_BULK = 512 << 20;
const MOST_ARGUMENTS = 2 ** 31 - 1;
/** More digits than this are no length or count. */
const MOST_DIGITS = 18;

const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DOLLAR = 0x24;
const ASTERISK = 0x2a;
const MINUS = 0x2d;
const ZERO = 0x30;

type Phase = 'begin' | 'line' | 'count' | 'count-end' | 'dollar' | 'length' | 'length-end' | 'bulk';

export class CommandScanner {
  /** Where the last `feed` stopped: behind the command, or at the end of what there is. */
  position = 0;
  failure = '';
  /** Arguments announced, and those that are whole. */
  announced = 0;
  found = 0;
  /** Start, from the start of the command, and length of each argument that is whole, as long as `recording`. */
  spans = new Int32Array(16);
  recording = true;
  #phase: Phase = 'begin';
  /** Bytes of the command before those being fed. */
  #before = 0;
  #lineLength = 0;
  #digits = 0;
  #negative = false;
  #value = 0;
  /** Bytes of the bulk string, and the two behind it, still to come. */
  #remaining = 0;
  #bulkLength = 0;

  /** Nothing of a command has been fed. */
  get idle(): boolean {
    return this.#phase === 'begin';
  }

  /** Bytes still to come of what has a known length; gaps no longer than this leave the end of the command known. */
  get remaining(): number {
    return this.#phase === 'bulk' ? this.#remaining : 0;
  }

  /** Forgets what was fed: a command begins. */
  reset(): void {
    this.#phase = 'begin';
    this.#before = 0;
    this.announced = 0;
    this.found = 0;
    this.recording = true;
  }

  /** Bytes of the current bulk string are missing; at most `remaining`. */
  skip(length: number): void {
    this.#remaining -= length;
    this.#before += length;
  }

  /** Reads on in bytes that follow those fed since `reset`. */
  feed(bytes: Uint8Array, from: number, to: number): ScanResult {
    let at = from;
    while (at < to || (this.#phase === 'bulk' && this.#remaining === 0)) {
      switch (this.#phase) {
        case 'begin':
          this.#lineLength = 0;
          if (bytes[at] === ASTERISK) {
            this.#beginNumber('count');
            at++;
          } else {
            this.#phase = 'line';
          }
          break;
        case 'line': {
          const byte = bytes[at++]!;
          if (byte === LF) return this.#stop(at, from, LINE);
          if (byte === NUL) return this.#fail('nul-in-line', at, from);
          if (++this.#lineLength > LONGEST_LINE) return this.#fail('line-too-long', at, from);
          break;
        }
        case 'count':
        case 'length': {
          const byte = bytes[at++]!;
          if (byte === CR && this.#isNumber()) this.#phase = this.#phase === 'count' ? 'count-end' : 'length-end';
          else if (!this.#digit(byte)) return this.#fail(`invalid-${this.#phase}`, at, from);
          break;
        }
        case 'count-end':
          at++;
          if (this.#value > MOST_ARGUMENTS) return this.#fail('invalid-count', at, from);
          if (this.#value === 0 || this.#negative) return this.#stop(at, from, NOTHING);
          this.announced = this.#value;
          this.#phase = 'dollar';
          break;
        case 'dollar':
          if (bytes[at++] !== DOLLAR) return this.#fail('no-bulk-string', at, from);
          this.#beginNumber('length');
          break;
        case 'length-end':
          at++;
          if (this.#negative || this.#value > LONGEST_BULK) return this.#fail('invalid-length', at, from);
          this.#bulkLength = this.#value;
          this.#remaining = this.#value + 2;
          this.#phase = 'bulk';
          if (this.recording) this.#record(this.#before + at - from);
          break;
        case 'bulk': {
          const length = Math.min(this.#remaining, to - at);
          at += length;
          this.#remaining -= length;
          if (this.#remaining > 0) break;
          this.found++;
          if (this.found === this.announced) return this.#stop(at, from, COMMAND);
          this.#phase = 'dollar';
          break;
        }
      }
    }
    this.position = at;
    this.#before += at - from;
    return MORE;
  }

  #beginNumber(phase: 'count' | 'length'): void {
    this.#phase = phase;
    this.#digits = 0;
    this.#negative = false;
    this.#value = 0;
  }

  /** Whether `byte` may continue the number. */
  #digit(byte: number): boolean {
    if (byte === MINUS && this.#digits === 0 && !this.#negative) {
      this.#negative = true;
      return true;
    }
    const digit = byte - ZERO;
    if (digit < 0 || digit > 9) return false;
    // A zero stands alone, and takes no sign.
    if (this.#digits > 0 && this.#value === 0) return false;
    if (digit === 0 && this.#digits === 0 && this.#negative) return false;
    this.#value = this.#value * 10 + digit;
    return ++this.#digits <= MOST_DIGITS;
  }

  #isNumber(): boolean {
    return this.#digits > 0;
  }

  #record(start: number): void {
    const index = this.found * 2;
    if (index === this.spans.length) {
      const grown = new Int32Array(index * 2);
      grown.set(this.spans);
      this.spans = grown;
    }
    this.spans[index] = start;
    this.spans[index + 1] = this.#bulkLength;
  }

  #stop(at: number, from: number, result: ScanResult): ScanResult {
    this.position = at;
    this.#before += at - from;
    this.#phase = 'begin';
    return result;
  }

  #fail(failure: string, at: number, from: number): ScanResult {
    this.failure = failure;
    return this.#stop(at, from, FAILED);
  }
}
