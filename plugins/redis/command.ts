/**
 * One command as plugins see and change it. It owns its bytes, so it may be kept. Unchanged it is sent as it was captured;
 * a changed one is written anew as a multibulk request.
 */
import type { Revertible } from 'tcpcopy/plugin';
import { copyOf, encodeArgument, encodeCommand, toBytes } from './bytes.ts';
import { commandSpec, isContainer, takes, type CommandSpec } from './command-spec.ts';
import { keyPositions, type Arguments } from './key-positions.ts';
import { isSecret } from './secrets.ts';

/** What a line for people shows of an argument, and how many of them. */
const SHOWN_BYTES = 64;
const SHOWN_ARGUMENTS = 16;

/** What was captured. */
interface Captured {
  /** The request; of one that streams past, its beginning. */
  readonly bytes: Buffer;
  /** Start and length of arguments in `bytes`; none for inline requests. */
  readonly spans: Int32Array | undefined;
  /** Made of these when they are asked for: of most commands only the name is. */
  args: readonly Buffer[] | undefined;
  readonly count: number;
  readonly inline: boolean;
}

export class RedisCommand implements Revertible, Arguments {
  /** The database it speaks to, as far as the connection was seen; `undefined`: chosen before copying began. */
  readonly database: number | undefined;
  readonly #captured: Captured;
  /** `undefined`: as captured. */
  #changed: readonly Uint8Array[] | undefined;
  #name: string | undefined;
  #spec: CommandSpec | undefined;
  #keys: { readonly of: readonly Uint8Array[]; readonly at: readonly number[] | undefined } | undefined;

  private constructor(captured: Captured, database: number | undefined) {
    this.#captured = captured;
    this.database = database;
  }

  /**
   * For codecs: a multibulk request, with the `found` arguments of `announced` whose spans are given. `bytes` must be
   * nobody else's.
   */
  static multibulk(
    bytes: Buffer,
    spans: Int32Array,
    found: number,
    announced: number,
    database?: number,
  ): RedisCommand {
    const own = spans.slice(0, found * 2);
    return new RedisCommand({ bytes, spans: own, args: undefined, count: announced, inline: false }, database);
  }

  /** For codecs: an inline request. `bytes` must be nobody else's. */
  static inline(bytes: Buffer, args: readonly Uint8Array[], database?: number): RedisCommand {
    const own = args.map((arg) => Buffer.from(arg));
    return new RedisCommand({ bytes, spans: undefined, args: own, count: args.length, inline: true }, database);
  }

  /** A command to be sent that nobody captured. */
  static of(...args: readonly (string | Uint8Array)[]): RedisCommand {
    const own = args.map(toBytes);
    return RedisCommand.inline(encodeCommand(own), own);
  }

  /** In upper case, with the subcommand of a container command: `GET`, `CONFIG SET`. */
  get name(): string {
    return this.#name ?? this.#readName();
  }

  /** What is known of such commands; `undefined`: nothing, as of a module's. */
  get spec(): CommandSpec | undefined {
    if (this.#name === undefined) this.#readName();
    return this.#spec;
  }

  /** It may leave something behind on its connection, or be answered in a way of its own. */
  get aboutConnection(): boolean {
    const { spec } = this;
    return spec === undefined || spec.kind === 'connection';
  }

  /** How many arguments it has, with its name. */
  get length(): number {
    if (this.#changed === undefined) return this.#captured.count;
    return this.#changed.length + this.#captured.count - this.#capturedArgs.length;
  }

  /** All arguments are here. `false`: it is longer than `commandLimit`, and what comes last streams past. */
  get whole(): boolean {
    const { spans, count } = this.#captured;
    return spans === undefined || spans.length === count * 2;
  }

  /** It came as a line of text, as typed into telnet. */
  get inline(): boolean {
    return this.#captured.inline;
  }

  /** The arguments that are here, with the name. Not to be changed in place. */
  get args(): readonly Uint8Array[] {
    return this.#changed ?? this.#capturedArgs;
  }

  /** An argument as UTF-8 text; `undefined` when there is none, or it streams past. */
  text(index: number): string | undefined {
    const arg = this.args[index];
    return arg === undefined ? undefined : Buffer.from(arg.buffer, arg.byteOffset, arg.length).toString('utf8');
  }

  /** Positions of its keys; `undefined`: they cannot be told (a command that is not known, or not as it should be). */
  get keyPositions(): readonly number[] | undefined {
    if (this.#keys?.of !== this.args) this.#keys = { of: this.args, at: this.#locateKeys() };
    return this.#keys.at;
  }

  /** Its keys, as UTF-8 text. Empty also where they cannot be told. */
  get keys(): readonly string[] {
    return (this.keyPositions ?? []).map((at) => this.text(at) ?? '');
  }

  /** Whether it may change data: what writes, what a script may write, what is not known. */
  get writes(): boolean {
    const { spec } = this;
    if (spec === undefined || spec.kind === 'script' || spec.kind === 'publish' || spec.kind === 'admin') return true;
    if (spec.kind !== 'write') return false;
    // With STORE they write one key; without, they only read.
    return !/^(SORT|GEORADIUS|GEORADIUSBYMEMBER)$/.test(spec.name) || (this.keyPositions?.length ?? 2) > 1;
  }

  /** Puts another argument in the place of one. The name of a command that streams past stays. */
  set(index: number, value: string | Uint8Array): void {
    if (index < 0 || index >= this.args.length) throw new RangeError(`there is no argument ${index} to change`);
    this.#change(this.args.with(index, toBytes(value)));
  }

  /** Puts all arguments in place of those it has, the name included. */
  replace(args: readonly (string | Uint8Array)[]): void {
    if (!this.whole) throw new TypeError('this command streams past: single arguments can be set, not all');
    if (args.length === 0) throw new TypeError('a command has a name');
    this.#change(args.map(toBytes));
  }

  /** Changes keys; one that is returned as it is stays. Throws where its keys cannot be told. */
  mapKeys(change: (key: Uint8Array) => string | Uint8Array): void {
    const positions = this.keyPositions;
    if (positions === undefined) throw new TypeError(`the keys of ${this.name} cannot be told`);
    const args = [...this.args];
    let changed = false;
    for (const at of positions) {
      const key = change(args[at]!);
      if (key === args[at]) continue;
      args[at] = toBytes(key);
      changed = true;
    }
    if (changed) this.#change(args);
  }

  /** Something differs from what was captured. */
  get changed(): boolean {
    return this.#changed !== undefined;
  }

  /** The bytes as they will be sent; of a command that streams past, its beginning. */
  serialize(): Uint8Array {
    if (!this.changed) return this.#captured.bytes;
    return this.whole ? encodeCommand(this.args) : this.#serializeBeginning();
  }

  /** A copy with all changes made so far, to be changed by itself. */
  clone(): RedisCommand {
    const copy = new RedisCommand(this.#captured, this.database);
    copy.#changed = this.#changed;
    return copy;
  }

  /** For people: on one line, cut when long, without secrets. */
  toString(): string {
    const shown = this.args.slice(0, SHOWN_ARGUMENTS).map((arg, i) => this.#shown(arg, i));
    if (this.length > shown.length) shown.push(`… (${this.length} arguments)`);
    return shown.join(' ');
  }

  checkpoint(): readonly Uint8Array[] | undefined {
    return this.#changed;
  }

  revert(to: readonly Uint8Array[] | undefined): void {
    this.#change(to);
  }

  get #capturedArgs(): readonly Buffer[] {
    const captured = this.#captured;
    return (captured.args ??= cutOut(captured.bytes, captured.spans!));
  }

  #change(args: readonly Uint8Array[] | undefined): void {
    this.#changed = args;
    this.#name = undefined;
  }

  /** A subcommand nobody knows is taken as one all the same. */
  #readName(): string {
    const { bytes, spans } = this.#captured;
    const plain = this.#changed === undefined && spans !== undefined && spans.length > 0;
    const word = plain ? bytes.toString('latin1', spans[0], spans[0]! + spans[1]!) : (this.text(0) ?? '');
    const name = word.toUpperCase();
    this.#name = isContainer(name) && this.args.length > 1 ? `${name} ${this.text(1)!.toUpperCase()}` : name;
    this.#spec = commandSpec(this.#name);
    return this.#name;
  }

  #locateKeys(): readonly number[] | undefined {
    const { spec } = this;
    if (spec === undefined || !takes(spec, this.length)) return undefined;
    const positions = keyPositions(spec, this);
    // A key that streams past is one nobody can change.
    return positions?.every((at) => at < this.args.length) === true ? positions : undefined;
  }

  /** Each argument brings its own length, so those that changed can be written in place. */
  #serializeBeginning(): Uint8Array {
    const { bytes, spans } = this.#captured;
    const captured = this.#capturedArgs;
    const parts: Uint8Array[] = [];
    let at = 0;
    for (const [i, arg] of this.args.entries()) {
      if (arg === captured[i]) continue;
      const start = spans![i * 2]!;
      const length = spans![i * 2 + 1]!;
      // `$3\r\n` stands before it.
      parts.push(bytes.subarray(at, start - String(length).length - 3), ...encodeArgument(arg));
      at = start + length + 2;
    }
    parts.push(bytes.subarray(at));
    return Buffer.concat(parts);
  }

  #shown(arg: Uint8Array, index: number): string {
    if (isSecret(this.name, this, index)) return '***';
    const text = copyOf(arg, 0, Math.min(arg.length, SHOWN_BYTES)).toString('utf8');
    const cut = arg.length > SHOWN_BYTES ? '…' : '';
    return /^[\x21\x23-\x7e]+$/.test(text) ? text + cut : JSON.stringify(text) + cut;
  }
}

function cutOut(bytes: Buffer, spans: Int32Array): readonly Buffer[] {
  const args: Buffer[] = [];
  for (let i = 0; i < spans.length; i += 2) args.push(bytes.subarray(spans[i], spans[i]! + spans[i + 1]!));
  return args;
}
