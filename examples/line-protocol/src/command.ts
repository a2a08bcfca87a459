/**
 * What clients of `tally` send: `incr NAME AMOUNT`, `get NAME`, `quit`, each a line. A command that nobody changes keeps its
 * captured bytes; one that was changed is written anew.
 */
import type { Revertible } from 'tcpcopy/plugin';

export type Verb = 'incr' | 'get' | 'quit';

interface Fields {
  readonly name: string;
  readonly amount: number;
}

const COMMAND = /^(?:(incr) ([\w.-]+) (-?\d{1,15})|(get) ([\w.-]+)|(quit))\n$/;

export class Command implements Revertible {
  readonly verb: Verb;
  readonly #captured: Fields;
  #fields: Fields;

  private constructor(verb: Verb, fields: Fields) {
    this.verb = verb;
    this.#captured = fields;
    this.#fields = fields;
  }

  /** `undefined`: the line is no command. */
  static parse(line: string): Command | undefined {
    const [, incr, counted, amount, get, asked, quit] = COMMAND.exec(line) ?? [];
    if (incr !== undefined) return new Command('incr', { name: counted!, amount: Number(amount) });
    if (get !== undefined) return new Command('get', { name: asked!, amount: 0 });
    return quit === undefined ? undefined : new Command('quit', { name: '', amount: 0 });
  }

  get name(): string {
    return this.#fields.name;
  }

  set name(name: string) {
    if (!/^[\w.-]+$/.test(name)) throw new TypeError('a name is letters, digits, dots and dashes');
    this.#fields = { ...this.#fields, name };
  }

  get amount(): number {
    return this.#fields.amount;
  }

  set amount(amount: number) {
    if (!Number.isSafeInteger(amount)) throw new TypeError('an amount is a whole number');
    this.#fields = { ...this.#fields, amount };
  }

  get changed(): boolean {
    return this.#fields !== this.#captured;
  }

  serialize(): string {
    const { verb, name, amount } = this;
    return verb === 'quit' ? 'quit\n' : verb === 'get' ? `get ${name}\n` : `incr ${name} ${amount}\n`;
  }

  /** For the host, which takes back what a plugin changed before it failed. Asked before every tap, so it copies nothing. */
  checkpoint(): unknown {
    return this.#fields;
  }

  revert(to: unknown): void {
    this.#fields = to as Fields;
  }
}
