/**
 * One process of the program, in a process group of its own: a Ctrl-C meant for us does not reach it, and what it has
 * started ends with it. Its end is told once, when all it printed has been read.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { PluginEnv } from 'tcpcopy/plugin';
import { LineReader } from './line-reader.ts';

export interface ChildSettings {
  readonly path: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly user: PluginEnv['childUser'];
}

export interface ChildEvents {
  /** It printed a line. */
  line(text: string): void;
  /** It printed a line too long to be an answer. */
  tooLong(): void;
  /** It said something on its standard error. */
  note(text: string): void;
  /** `how`: as in "NAME ended (exit code 1)". */
  ended(how: string): void;
}

/** Bytes of an answer, and of a line for the log. */
const LONGEST_ANSWER = 64 << 20;
const LONGEST_NOTE = 64 << 10;
/** Milliseconds in which what a dead process has printed is read. */
const LAST_WORDS = 200;

export class Child {
  readonly #process: ChildProcess;
  readonly #events: ChildEvents;
  #cancelLastWords: (() => void) | undefined;
  #over = false;

  constructor(settings: ChildSettings, env: Pick<PluginEnv, 'after'>, events: ChildEvents) {
    this.#events = events;
    const child = spawn(settings.path, settings.args, {
      cwd: settings.directory,
      env: settings.variables,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      ...settings.user,
    });
    this.#process = child;
    const answers = new LineReader(LONGEST_ANSWER, events.line, events.tooLong);
    const notes = new LineReader(LONGEST_NOTE, events.note, () => events.note('(a line too long to show)'));
    child.stdout.on('data', (chunk: Buffer) => answers.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => notes.push(chunk));
    // Nothing can be said to it any more: it is of no use, whatever it still does.
    child.stdin.on('error', () => this.signal('SIGKILL'));
    child.on('error', ({ code, name }: NodeJS.ErrnoException) => this.#end(`cannot be started (${code ?? name})`));
    child.on('exit', (code, signal) => {
      const how = code === null ? `was ended by ${signal}` : `ended (exit code ${code})`;
      this.signal('SIGKILL');
      child.on('close', () => this.#end(how));
      this.#cancelLastWords = env.after(LAST_WORDS, () => this.#end(how));
    });
    // It does not keep a program going that has nothing else to do.
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket).unref();
  }

  get writable(): boolean {
    return !this.#over && this.#process.stdin?.writable === true;
  }

  /** Bytes that it has not read yet. */
  get unread(): number {
    return this.#process.stdin?.writableLength ?? 0;
  }

  write(line: string): void {
    this.#process.stdin?.write(line);
  }

  closeInput(): void {
    this.#process.stdin?.end();
  }

  /** To it and to all that it has started. */
  signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // All of them have ended.
    }
  }

  #end(how: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelLastWords?.();
    this.#process.stdin?.destroy();
    this.#events.ended(how);
  }
}
