/**
 * The whole screen of a terminal, for `--ui`: a page that replaces the one before, and keys. It is taken with the first page,
 * so that whatever fails at the start is printed as ever. What is written while it is taken is kept, can be shown by the
 * page, and is printed when the screen is given back.
 */
import type { Screen } from '../core/run-environment.ts';
import { sizeOf } from './terminal.ts';

// ECMA-48 control sequences, and xterm's private modes: alternate screen, cursor, wrapping at the end of a line.
const TAKE = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const GIVE_BACK = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const CLEAR = '\u001b[2J';
const HOME = '\u001b[H';
/** Before the line: behind it, it would take a last character at the edge along. */
const ERASE_LINE = '\u001b[2K';
/** Lines that are kept; older ones are in the log file, if there is one. */
const KEPT = 500;
const CTRL_C = '\u0003';

/** What of a `process.stdout` is used here. */
export interface ScreenStream {
  write(text: string): unknown;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  on(event: 'resize', listener: () => void): unknown;
  off(event: 'resize', listener: () => void): unknown;
}

/** What of a `process.stdin` is used here. */
export interface KeyStream {
  readonly isTTY?: boolean | undefined;
  setRawMode?(raw: boolean): unknown;
  on(event: 'data', listener: (data: Buffer) => void): unknown;
  off(event: 'data', listener: (data: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

interface Kept {
  readonly text: string;
  readonly print: (text: string) => void;
}

export class FullScreen implements Screen {
  readonly #out: ScreenStream;
  readonly #keys: KeyStream;
  readonly #quit: () => void;
  #state: 'before' | 'taken' | 'given back' = 'before';
  #kept: Kept[] = [];
  #left = 0;
  #redraw: () => void = () => undefined;
  readonly #onResize = (): void => {
    this.#out.write(CLEAR);
    this.#redraw();
  };
  readonly #onKey = (data: Buffer): void => {
    for (const key of data.toString('latin1')) if (key === 'q' || key === 'Q' || key === CTRL_C) this.#quit();
  };

  /** `quit`: called for each q and Ctrl-C, which the terminal does not turn into a signal while it is taken. */
  constructor(out: ScreenStream, keys: KeyStream, quit: () => void) {
    this.#out = out;
    this.#keys = keys;
    this.#quit = quit;
  }

  get columns(): number {
    return sizeOf(this.#out.columns) ?? 80;
  }

  get rows(): number {
    return sizeOf(this.#out.rows) ?? 24;
  }

  get messages(): readonly string[] {
    return this.#kept.map(({ text }) => text);
  }

  onResize(redraw: () => void): void {
    this.#redraw = redraw;
  }

  show(lines: readonly string[]): void {
    if (this.#state === 'given back') return;
    if (this.#state === 'before') this.#take();
    this.#out.write(HOME + lines.map((line) => ERASE_LINE + line).join('\r\n'));
  }

  /** Whether a line is kept for later; else `print` is the caller's to do. */
  keeps(text: string, print: (text: string) => void): boolean {
    if (this.#state !== 'taken') return false;
    this.#kept.push({ text, print });
    if (this.#kept.length > KEPT) {
      this.#kept.shift();
      this.#left++;
    }
    return true;
  }

  giveBack(): void {
    if (this.#state !== 'taken') return;
    this.#state = 'given back';
    this.#out.off('resize', this.#onResize);
    this.#keys.off('data', this.#onKey);
    if (this.#keys.isTTY === true) this.#keys.setRawMode?.(false);
    this.#keys.pause();
    this.#out.write(GIVE_BACK);
    const kept = this.#kept;
    this.#kept = [];
    if (this.#left > 0) kept[0]!.print(`(${this.#left} earlier lines are left out here)`);
    for (const { text, print } of kept) print(text);
  }

  #take(): void {
    this.#state = 'taken';
    this.#out.write(TAKE + CLEAR);
    this.#out.on('resize', this.#onResize);
    if (this.#keys.isTTY === true) this.#keys.setRawMode?.(true);
    this.#keys.on('data', this.#onKey);
    this.#keys.resume();
  }
}
