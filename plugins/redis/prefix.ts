/** Puts a prefix before every key, so that the copy has a place of its own on the target. */
import { sortOptions } from './key-positions.ts';
import type { RedisCommand } from './command.ts';

/** What is not confined to keys of a prefix. */
const EVERYTHING: ReadonlySet<string> = new Set(['FLUSHALL', 'FLUSHDB', 'SWAPDB']);
const ASTERISK = Buffer.from('*');

export class KeyPrefix {
  readonly #prefix: Buffer;
  /** The same in a glob pattern. */
  readonly #pattern: Buffer;

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix, 'utf8');
    this.#pattern = Buffer.from(prefix.replace(/[*?[\]\\^-]/g, '\\$&'), 'utf8');
  }

  /** Changes the keys of a command, and the patterns that stand for keys. Returns why it cannot. */
  apply(command: RedisCommand): string | undefined {
    const { spec, name } = command;
    if (spec === undefined) return 'keys not known';
    if (EVERYTHING.has(name)) return 'not confined to the prefix';
    // What a server refuses for its number of arguments does no harm, but cannot be read either.
    if (command.keyPositions === undefined) return command.whole ? 'keys not known' : 'too long for the prefix';
    command.mapKeys((key) => this.#before(key));
    if (name === 'KEYS') command.set(1, this.#beforePattern(command.args[1]!));
    else if (name === 'SCAN') this.#applyToScan(command);
    else if (name === 'SORT' || name === 'SORT_RO') this.#applyToSort(command);
    return undefined;
  }

  #before(key: Uint8Array): Buffer {
    return Buffer.concat([this.#prefix, key]);
  }

  #beforePattern(pattern: Uint8Array): Buffer {
    return Buffer.concat([this.#pattern, pattern]);
  }

  #applyToScan(command: RedisCommand): void {
    let confined = false;
    // Of several the last one counts.
    for (let i = 2; i + 1 < command.length; i += 2) {
      if (command.text(i)!.toUpperCase() !== 'MATCH') continue;
      command.set(i + 1, this.#beforePattern(command.args[i + 1]!));
      confined = true;
    }
    if (!confined) command.replace([...command.args, 'MATCH', this.#beforePattern(ASTERISK)]);
  }

  /** BY and GET name keys by a pattern with a `*`; without one BY means no order, and `GET #` the element itself. */
  #applyToSort(command: RedisCommand): void {
    for (const { word, value } of sortOptions(command)) {
      if (word === 'STORE' || !command.args[value]!.includes(ASTERISK[0]!)) continue;
      command.set(value, this.#before(command.args[value]!));
    }
  }
}
