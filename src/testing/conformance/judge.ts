/** Compares what was read with what should have been, and says so in words a person can use. */
import { bracketed, lineOf, quoted, type ReadMessage, type Transcript } from './transcript.ts';
import type { Step } from './read.ts';

export class ConformanceError extends Error {
  override readonly name = 'ConformanceError';
}

const MOST_STEPS = 12;

/** `how`: in what way the bytes came in, to begin the text of an error with. */
export class Judge {
  readonly #how: string;
  readonly #steps: readonly Step[];

  constructor(how: string, steps: readonly Step[] = []) {
    this.#how = how;
    this.#steps = steps;
  }

  fail(...lines: readonly string[]): never {
    throw new ConformanceError([this.#how, ...lines.map((line) => `  ${line}`), ...this.#pushed()].join('\n'));
  }

  /** What holds of every reading: no fault, and every byte is in a piece or counted as skipped. */
  sound({ fault, pieceBytes, skippedBytes, pushedBytes, missingBytes }: Transcript, ended: boolean): void {
    if (fault !== undefined) this.fail(fault);
    const accounted = pieceBytes + skippedBytes;
    if (accounted > pushedBytes + missingBytes || (ended && accounted < pushedBytes)) {
      this.fail(
        `${pushedBytes} bytes were pushed${missingBytes > 0 ? `, and ${missingBytes} were missing` : ''}, but`,
        `${pieceBytes} came out in pieces and ${skippedBytes} are counted in skippedBytes`,
      );
    }
  }

  /** The same messages, byte for byte. */
  same(expected: readonly ReadMessage[], got: readonly ReadMessage[]): void {
    const [wanted, found] = [expected.map(lineOf), got.map(lineOf)];
    for (let i = 0; i < Math.max(wanted.length, found.length); i++) {
      if (wanted[i] !== found[i] || !equal(expected[i]!.bytes, got[i]!.bytes)) this.#differs(i, wanted[i], found[i]);
    }
  }

  /** `got` are some of `expected`, in their order; what was read is told. */
  among(expected: readonly string[], got: readonly string[], because: string): void {
    let at = 0;
    for (const told of got) {
      const found = expected.indexOf(told, at);
      if (found < 0) {
        this.fail(
          `${bracketed(told)} was read, ${because}`,
          `messages in the conversation: ${expected.map(bracketed).join(', ') || 'none'}`,
          `messages read: ${got.map(bracketed).join(', ')}`,
        );
      }
      at = found + 1;
    }
  }

  /** Told lines, one by one. */
  sameLines(what: string, expected: readonly string[], got: readonly string[]): void {
    for (let i = 0; i < Math.max(expected.length, got.length); i++) {
      const [wanted, found] = [expected[i], got[i]];
      if (wanted === found) continue;
      this.#differs(
        i,
        wanted === undefined ? wanted : bracketed(wanted),
        found === undefined ? found : bracketed(found),
        what,
      );
    }
  }

  #differs(i: number, expected = 'nothing more', got = 'nothing more', what = 'message'): never {
    this.fail(`${what} ${i + 1} differs:`, `expected ${expected}`, `got      ${got}`);
  }

  #pushed(): string[] {
    if (this.#steps.length === 0) return [];
    const texts = this.#steps.map((step) =>
      step === 'end' ? 'end' : 'missing' in step ? `${step.missing} bytes missing` : quoted(step.bytes),
    );
    const shown =
      texts.length > MOST_STEPS ? [...texts.slice(0, MOST_STEPS), `… ${texts.length - MOST_STEPS} more`] : texts;
    return [`  the bytes came as ${shown.join(' | ')}`];
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
