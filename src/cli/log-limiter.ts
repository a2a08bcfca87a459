/**
 * Keeps a log readable while something goes wrong over and over: of each kind of warning and error so many lines a minute, the
 * rest are counted, and told of with the next line of their kind or at the end. Lines are of a kind when they differ in numbers
 * only: ports, addresses, process ids, sizes.
 */
import type { Log, LogFields } from '../core/log.ts';
import { addTime, NEVER, seconds, type Instant } from '../core/time.ts';

const PER_WINDOW = 10;
const WINDOW = seconds(60);
/** Kinds remembered; the one that began first is forgotten. */
const KINDS = 500;

type Level = 'error' | 'warn';

interface Kind {
  readonly level: Level;
  readonly message: string;
  begun: Instant;
  lines: number;
  left: number;
}

export class LogLimiter {
  readonly #log: Log;
  readonly #now: () => Instant;
  readonly #kinds = new Map<string, Kind>();

  constructor(log: Log, now: () => Instant) {
    this.#log = log;
    this.#now = now;
  }

  /** The log, with limits on warnings and errors. */
  get log(): Log {
    return {
      error: (message, fields) => this.#write('error', message, fields),
      warn: (message, fields) => this.#write('warn', message, fields),
      info: this.#log.info.bind(this.#log),
      debug: this.#log.debug.bind(this.#log),
    };
  }

  /** Tells of what was left out and not told of yet. */
  flush(): void {
    for (const kind of this.#kinds.values()) this.#tellLeft(kind);
  }

  #write(level: Level, message: string, fields: LogFields | undefined): void {
    const key = `${level} ${message.replace(/[0-9a-f]*[0-9][0-9a-f.:]*/gi, '#')}`;
    const now = this.#now();
    const kind = this.#kinds.get(key) ?? this.#add(key, level, message);
    if (now >= addTime(kind.begun, WINDOW) || kind.begun === NEVER) {
      this.#tellLeft(kind);
      kind.begun = now;
      kind.lines = 0;
    }
    if (kind.lines++ < PER_WINDOW) this.#log[level](message, fields);
    else kind.left++;
  }

  #add(key: string, level: Level, message: string): Kind {
    if (this.#kinds.size >= KINDS) {
      const [oldest, gone] = this.#kinds.entries().next().value!;
      this.#tellLeft(gone);
      this.#kinds.delete(oldest);
    }
    const kind: Kind = { level, message, begun: NEVER, lines: 0, left: 0 };
    this.#kinds.set(key, kind);
    return kind;
  }

  #tellLeft(kind: Kind): void {
    if (kind.left === 0) return;
    this.#log[kind.level](`${kind.message} (and ${kind.left} more like it)`);
    kind.left = 0;
  }
}
