/**
 * The one place that writes to the terminal. Two streams may be the same screen: the live line, on standard output, is
 * taken away before any other line is written to either, and put back after it.
 */
const ERASE_LINE = '\r\u001b[2K';

/** What of a `process.stdout` is used here. */
export interface TerminalStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** A terminal that does not know its size says 0. */
export function sizeOf(columns: number | undefined): number | undefined {
  return columns === undefined || columns <= 0 ? undefined : columns;
}

/** Who keeps lines while the whole screen is taken. */
export interface LineKeeper {
  keeps(text: string, print: (text: string) => void): boolean;
}

export class Terminal {
  readonly #out: TerminalStream;
  readonly #err: TerminalStream;
  #live = '';
  /** Set where the whole screen may be taken. */
  keeper: LineKeeper | undefined;

  constructor(out: TerminalStream, err: TerminalStream) {
    this.#out = out;
    this.#err = err;
  }

  get isTty(): boolean {
    return this.#out.isTTY === true;
  }

  /** Whether what is written to standard error is read by a person. */
  get errorsAreSeen(): boolean {
    return this.#err.isTTY === true;
  }

  get columns(): number | undefined {
    return this.isTty ? sizeOf(this.#out.columns) : undefined;
  }

  /** Writes a line to standard output. */
  line(text: string): void {
    if (this.keeper?.keeps(text, (kept) => this.line(kept)) === true) return;
    this.#above(() => this.#out.write(`${text}\n`));
  }

  /** Writes a line to standard error. */
  errorLine(text: string): void {
    if (this.keeper?.keeps(text, (kept) => this.errorLine(kept)) === true) return;
    this.#above(() => this.#err.write(`${text}\n`));
  }

  /** Replaces the live line; an empty text takes it away. It may hold colours, so whoever makes it keeps it short. */
  live(text: string): void {
    if (!this.isTty || (text === '' && this.#live === '')) return;
    this.#live = text;
    this.#out.write(ERASE_LINE + text);
  }

  #above(write: () => void): void {
    if (this.#live !== '') this.#out.write(ERASE_LINE);
    write();
    if (this.#live !== '') this.#out.write(this.#live);
  }
}
