/**
 * The program: asked, listened to, started again when it ends or hangs, and ended with the run.
 *
 * The end of a process fails what waits for it. The next is started after a while, longer each time that one did not live
 * long. One that answers nothing for a long time is ended, and so started again.
 */
import type { Instant, PluginEnv } from 'tcpcopy/plugin';
import { Child, type ChildSettings } from './child.ts';
import type { Outcome } from './outcome.ts';
import { Pending } from './pending.ts';
import { QuietLog } from './quiet-log.ts';

export interface ProgramSettings extends ChildSettings {
  /** For people. */
  readonly name: string;
  /** Milliseconds an answer may take. */
  readonly timeout: number;
  /** Messages that may wait for an answer. */
  readonly queue: number;
}

/** Bytes of lines that the program has not read yet. */
const MOST_UNREAD = 64 << 20;
/** Milliseconds. One that ends sooner than this after its first start is no program to run with. */
const SETTLED = 500;
const FIRST_DELAY = 100;
const LONGEST_DELAY = 30_000;
/** One that has lived as long as this is started again as if it were the first time. */
const LONG_LIFE = 10_000;
/** One that answers nothing for as long as this, or as three answers may take, hangs. */
const HANGS = 10_000;
/** After the end of its input, and after SIGTERM. */
const PATIENCE = 2_000;
const LAST_PATIENCE = 1_000;

export class Program {
  restarts = 0;
  /** Lines that are no answer to anything. */
  garbage = 0;
  /** Answers that nobody waited for any more. */
  late = 0;
  readonly #settings: ProgramSettings;
  readonly #env: PluginEnv;
  readonly #pending: Pending;
  readonly #notes: QuietLog;
  #child: Child | undefined;
  #startedAt: Instant;
  #delay = FIRST_DELAY;
  #cancelRestart: (() => void) | undefined;
  #nextId = 1;
  /** Since when something has waited and nothing been answered. */
  #silentSince: Instant | undefined;
  #onEnd: (how: string) => void = (how) => this.#restart(how);
  readonly #atExit = (): void => this.#child?.signal('SIGKILL');

  constructor(settings: ProgramSettings, env: PluginEnv) {
    this.#settings = settings;
    this.#env = env;
    this.#startedAt = env.now();
    this.#pending = new Pending(env, settings.queue, settings.timeout, () => this.#suspectHang());
    const note = (line: string): void => env.log.warn(`${settings.name}: ${line}`);
    this.#notes = new QuietLog(note, () => env.now());
  }

  /** Starts it; throws when it cannot be started, or ends at once. */
  async start(): Promise<void> {
    const restart = this.#onEnd;
    process.once('exit', this.#atExit);
    const failure = await new Promise<string | undefined>((resolve) => {
      const cancel = this.#env.after(SETTLED, () => resolve(undefined));
      this.#onEnd = (how) => {
        cancel();
        resolve(how);
      };
      this.#spawn();
    });
    this.#onEnd = restart;
    if (failure === undefined) return;
    process.off('exit', this.#atExit);
    const { name, user } = this.#settings;
    const as = user === undefined ? '' : `; it runs as user ${user.uid}, which --user changes`;
    throw new Error(`${name} ${failure}${as}`);
  }

  /** Gives it the line that `lineOf` makes for an id, and waits for the answer. Never rejects. */
  ask(lineOf: (id: number) => string): Promise<Outcome> {
    const child = this.#child;
    if (child?.writable !== true) return Promise.resolve({ failure: 'down' });
    const id = this.#nextId++;
    const line = lineOf(id);
    if (!this.#pending.accepts(line.length) || child.unread + line.length > MOST_UNREAD) {
      return Promise.resolve({ failure: 'full' });
    }
    this.#silentSince ??= this.#env.now();
    child.write(line);
    return this.#pending.add(id, line.length);
  }

  /** Ends it: the end of its input first, then signals. */
  async stop(): Promise<void> {
    this.#cancelRestart?.();
    process.off('exit', this.#atExit);
    const child = this.#child;
    if (child !== undefined) {
      const ended = new Promise<void>((resolve) => (this.#onEnd = () => resolve()));
      const cancels = [
        this.#env.after(PATIENCE, () => child.signal('SIGTERM')),
        this.#env.after(PATIENCE + LAST_PATIENCE, () => child.signal('SIGKILL')),
      ];
      child.closeInput();
      await ended;
      for (const cancel of cancels) cancel();
    }
    this.#pending.failAll('down');
  }

  #spawn(): void {
    this.#startedAt = this.#env.now();
    this.#child = new Child(this.#settings, this.#env, {
      line: (text) => this.#takeLine(text),
      tooLong: () => this.#countGarbage(),
      note: (text) => this.#notes.line(text),
      ended: (how) => {
        this.#child = undefined;
        this.#silentSince = undefined;
        this.#pending.failAll('down');
        this.#onEnd(how);
      },
    });
  }

  #restart(how: string): void {
    if ((this.#env.now() - this.#startedAt) / 1_000 >= LONG_LIFE) this.#delay = FIRST_DELAY;
    const delay = this.#delay;
    this.#delay = Math.min(delay * 2, LONGEST_DELAY);
    this.#env.log.error(`${this.#settings.name} ${how}; it is started again in ${delay / 1_000} s`);
    this.#cancelRestart = this.#env.after(delay, () => {
      this.restarts++;
      this.#spawn();
    });
  }

  #takeLine(text: string): void {
    const answer = parseJson(text);
    const id = (answer as { readonly id?: unknown } | null | undefined)?.id;
    if (typeof id !== 'number' || !(Number.isInteger(id) && id > 0 && id < this.#nextId)) {
      this.#countGarbage();
      return;
    }
    this.#silentSince = undefined;
    if (!this.#pending.settle(id, { answer })) this.late++;
    if (this.#pending.size > 0) this.#silentSince = this.#env.now();
  }

  /** Without the line, which may quote traffic. */
  #countGarbage(): void {
    if (this.garbage++ > 0) return;
    this.#env.log.error(
      `${this.#settings.name} printed a line that is no answer: one JSON object a line is expected, with the id of a ` +
        'message; further ones are only counted',
    );
  }

  #suspectHang(): void {
    const limit = Math.max(HANGS, 3 * this.#settings.timeout);
    if (this.#silentSince === undefined || (this.#env.now() - this.#silentSince) / 1_000 < limit) return;
    this.#silentSince = undefined;
    this.#env.log.error(`${this.#settings.name} has answered nothing for ${limit / 1_000} s: it is ended`);
    this.#child?.signal('SIGKILL');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
