/**
 * Lines in a file. They are gathered for a moment and appended in one go, and the file is opened anew each time: one that
 * was moved away (log rotation) is begun again.
 */
import { closeSync, openSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { PluginEnv } from 'tcpcopy/plugin';

const GATHER_MS = 100;
/** Characters. A disk that cannot take more must not take the memory instead. */
const MOST_WAITING = 4 << 20;

export class LineFile {
  /** Lines that found no place, or could not be written. */
  lost = 0;
  readonly #path: string;
  readonly #env: PluginEnv;
  #lines: string[] = [];
  #length = 0;
  #writing: Promise<void> | undefined;
  #failureTold = false;

  /** Throws when the file cannot be written. */
  constructor(path: string, env: PluginEnv) {
    this.#path = resolve(env.directory, path);
    this.#env = env;
    try {
      closeSync(openSync(this.#path, 'a', 0o640));
    } catch (error) {
      throw new Error(`${this.#path} cannot be written (${codeOf(error)})`, { cause: error });
    }
  }

  add(line: string): void {
    if (this.#length + line.length > MOST_WAITING) {
      this.lost++;
      return;
    }
    if (this.#lines.length === 0) this.#env.after(GATHER_MS, () => void this.flush());
    this.#lines.push(line);
    this.#length += line.length;
  }

  /** Writes what has gathered. Never rejects. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    this.#length = 0;
    this.#writing = this.#append(lines).finally(() => (this.#writing = undefined));
    await this.#writing;
  }

  async #append(lines: readonly string[]): Promise<void> {
    try {
      await appendFile(this.#path, lines.map((line) => `${line}\n`).join(''), { mode: 0o640 });
    } catch (error) {
      this.lost += lines.length;
      if (this.#failureTold) return;
      this.#failureTold = true;
      this.#env.log.error(`${this.#path} cannot be written (${codeOf(error)}); lines that are lost are counted`);
    }
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
