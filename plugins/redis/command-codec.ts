/**
 * The client's half of Redis: bytes in, pieces of commands out.
 *
 * Theory of operation. One state at a time:
 *
 *     command ─┬─ (whole, or a line) ─▶ command
 *              └─ (longer than the limit) ─▶ rest ─▶ command
 *     rest, command ── (gap inside a bulk string) ─▶ skip ─▶ command
 *     any ── (not Redis) ─▶ raw, from there on
 *
 * A command that lies whole in one push is handed on where it lies. One that does not is copied together until it is
 * whole; when it outgrows `commandLimit` what there is of it becomes its first piece and the rest streams past. What
 * redis-server skips (empty lines, `*0`) is of no command and is not handed on.
 *
 * After a gap that is no longer than the bulk string it lies in, the end of the command is still known. Else, and in a
 * connection that was open when copying began, the next command is looked for (boundary.ts). `raw` follows what
 * redis-server answers with a protocol error and closes: the bytes pass as they are, in turns.
 */
import {
  ClientInput,
  PendingBytes,
  PieceOutlet,
  Swallowed,
  type ClientBytes,
  type Codec,
  type MessagePiece,
} from 'tcpcopy/plugin';
import { findCommand } from './boundary.ts';
import type { RedisCommand } from './command.ts';
import { CommandMaker } from './command-maker.ts';
import { COMMAND, CommandScanner, FAILED, LINE, MORE, NOTHING } from './command-scanner.ts';
import { detect } from './detect.ts';
import { splitInline } from './inline-arguments.ts';
import { redisSettings, type RedisSettings } from './settings.ts';

/** Why bytes behind a command after which redis-server closes are not sent: it did not read them either. */
const AFTER_CLOSE = 'after-close';

type State = 'command' | 'rest' | 'skip' | 'raw';

export type RedisPiece = MessagePiece<RedisCommand>;

export class RedisCommandCodec implements Codec {
  readonly protocol = 'redis';
  readonly #settings: RedisSettings;
  readonly #scanner = new CommandScanner();
  readonly #in = new ClientInput();
  readonly #pending: PendingBytes;
  readonly #out: PieceOutlet<RedisCommand>;
  readonly #piece: RedisPiece;
  readonly #maker: CommandMaker;
  readonly #swallowed = new Swallowed();
  #state: State = 'command';
  #seeking: boolean;
  #unparsable: string | undefined;
  /** In `raw`: bytes were lost, so the next turn must be waited for. */
  #outOfStep = false;
  #flushes = false;

  /** `fromSyn`: the connection was seen from its beginning. `fromBoundary`: the first byte pushed begins a command. */
  constructor(fromSyn: boolean, settings: RedisSettings = redisSettings(), fromBoundary = fromSyn) {
    this.#settings = settings;
    this.#seeking = !fromBoundary;
    this.#pending = new PendingBytes(settings.budget);
    this.#out = new PieceOutlet<RedisCommand>(this.#in, this.#pending);
    this.#piece = this.#out.piece;
    this.#maker = new CommandMaker(this.#scanner, this.#piece, fromSyn ? 0 : undefined);
  }

  get skippedBytes(): number {
    return this.#swallowed.bytes;
  }

  get skippedMessages(): number {
    return this.#swallowed.messages;
  }

  push(input: ClientBytes): void {
    this.#in.push(input);
  }

  next(): RedisPiece | undefined {
    if (this.#out.next()) {
      if (this.#piece.last) this.#beginCommand();
      return this.#piece;
    }
    if (this.#flushes) return this.#flush();
    while (this.#in.left > 0) if (this.#step()) return this.#piece;
    return undefined;
  }

  gap(length: number): boolean {
    const broken = this.#out.open;
    if (broken) this.#swallowed.followsBroken();
    else if (this.#out.holds) this.#swallowed.add(this.#pending.length);
    this.#out.drop();
    this.#in.cut();
    if (this.#state === 'raw') {
      this.#swallowed.add(length);
      this.#outOfStep = true;
      return broken;
    }
    if (length <= this.#scanner.remaining) {
      this.#scanner.recording = false;
      this.#scanner.skip(length);
      this.#state = 'skip';
      this.#swallowed.addStray(length);
      return broken;
    }
    // What lies behind the end of a bulk string is another command's, as far as that can be told.
    if (this.#scanner.remaining > 0) this.#swallowed.separate();
    this.#swallowed.add(length);
    this.#beginCommand();
    this.#seeking = true;
    return broken;
  }

  /** The client will send no more: what is held back is given out by `next`, and memory is given back. */
  end(): void {
    this.#flushes = this.#out.holds;
  }

  /** Reads on; true when a piece is ready. */
  #step(): boolean {
    switch (this.#state) {
      case 'command':
        return this.#seeking ? this.#seek() : this.#stepCommand();
      case 'rest':
        return this.#stepRest();
      case 'skip':
        return this.#stepSkip();
      case 'raw':
        return this.#stepRaw();
    }
  }

  #stepCommand(): boolean {
    const input = this.#in;
    const start = input.at;
    if (this.#scanner.idle) {
      this.#scanner.reset();
      input.begin();
    }
    const result = this.#scanner.feed(input.bytes, start, input.end);
    input.at = this.#scanner.position;
    switch (result) {
      case MORE:
        return this.#hold(start);
      case COMMAND:
        return this.#emitCommand(start, undefined);
      case LINE:
        return this.#stepLine(start);
      case NOTHING:
        return this.#skipNothing(start);
      case FAILED:
        return this.#fail(this.#scanner.failure, start);
    }
  }

  /** Keeps the beginning of a command; true when it has outgrown the limit and its first piece goes out. */
  #hold(start: number): boolean {
    const { bytes, end } = this.#in;
    const length = this.#pending.length + end - start;
    // A line has a limit of its own, and cannot be read in parts.
    const isLine = this.#scanner.announced === 0;
    const fits = isLine || length <= this.#settings.commandLimit;
    if (fits && this.#pending.append(bytes, start, end - start)) return false;
    if (isLine) return this.#fail('no-memory', start);
    this.#settings.stats.commands++;
    this.#settings.stats.streamed++;
    this.#swallowed.separate();
    this.#state = 'rest';
    this.#out.give(start, end, true, false);
    this.#maker.beginning();
    this.#scanner.recording = false;
    return true;
  }

  /** The line from `start`, and what is pending of it, is whole. */
  #stepLine(start: number): boolean {
    const { bytes, at } = this.#in;
    const pending = this.#pending;
    if (pending.length > 0 && !pending.append(bytes, start, at - start)) return this.#fail('no-memory', start);
    const args =
      pending.length > 0 ? splitInline(pending.bytes, 0, pending.length - 1) : splitInline(bytes, start, at - 1);
    if (args === undefined) return this.#fail('unbalanced-quotes', pending.length > 0 ? at : start);
    if (args.length === 0) return this.#skipNothing(pending.length > 0 ? at : start);
    return this.#emitCommand(pending.length > 0 ? at : start, args);
  }

  /** A command is whole: from `start` on, behind what is pending of it. */
  #emitCommand(start: number, inline: readonly Uint8Array[] | undefined): boolean {
    const { bytes, at } = this.#in;
    const pending = this.#pending;
    if (pending.length > 0 && !pending.append(bytes, start, at - start)) {
      // No room: the rest goes out by itself.
      this.#settings.stats.commands++;
      this.#out.give(start, at, true, true);
      this.#maker.beginning();
      return true;
    }
    this.#swallowed.separate();
    this.#settings.stats.commands++;
    this.#out.give(pending.length > 0 ? at : start, at, true, true);
    if (this.#maker.whole(inline)) this.#goRaw(AFTER_CLOSE);
    return true;
  }

  #skipNothing(start: number): boolean {
    this.#swallowed.addStray(this.#pending.length + this.#in.at - start);
    this.#pending.release();
    this.#in.unbegin();
    return false;
  }

  #stepRest(): boolean {
    const input = this.#in;
    const start = input.at;
    const result = this.#scanner.feed(input.bytes, start, input.end);
    input.at = this.#scanner.position;
    if (result === FAILED) this.#breakInRest();
    this.#out.give(start, input.at, false, result === COMMAND);
    if (result === FAILED) this.#mark();
    if (result === COMMAND) this.#beginCommand();
    return true;
  }

  /** The command that streams past turns out to be none: what is out of it cannot be taken back. */
  #breakInRest(): void {
    this.#settings.stats.unparsable.count(this.#scanner.failure);
    this.#goRaw(this.#scanner.failure);
    this.#in.at = this.#in.end;
  }

  #stepSkip(): boolean {
    const input = this.#in;
    const start = input.at;
    const result = this.#scanner.feed(input.bytes, start, input.end);
    input.at = this.#scanner.position;
    this.#swallowed.addStray(input.at - start);
    if (result === MORE) return false;
    this.#beginCommand();
    this.#seeking = result !== COMMAND;
    if (!this.#seeking) this.#swallowed.separate();
    return false;
  }

  /** Looks for a command in the push. */
  #seek(): boolean {
    const input = this.#in;
    const { bytes, at } = input;
    const plain = input.beginsTurn && detect(bytes, at, input.left) === 'yes';
    const found = plain ? at : findCommand(bytes, at, input.end);
    const end = found < 0 ? input.end : found;
    if (end > input.at) this.#swallowed.add(end - input.at);
    input.at = end;
    if (found < 0) return false;
    this.#seeking = false;
    this.#beginCommand();
    this.#settings.stats.resynchronised++;
    return false;
  }

  #stepRaw(): boolean {
    const input = this.#in;
    const turned = input.beginsTurn;
    if (this.#outOfStep && !turned) {
      this.#swallowed.add(input.left);
      input.at = input.end;
      return false;
    }
    this.#outOfStep = false;
    this.#swallowed.separate();
    const first = turned || !this.#out.open;
    if (first) input.begin();
    this.#out.give(input.at, input.end, first, false);
    this.#mark();
    input.at = input.end;
    return true;
  }

  /** These bytes are no command, from `start` on and with what is pending. True when a piece of them is ready. */
  #fail(reason: string, start: number): boolean {
    this.#settings.stats.unparsable.count(reason);
    this.#goRaw(reason);
    // What is pending is another piece than the push, which may begin a turn.
    const end = this.#pending.length > 0 ? start : this.#in.end;
    this.#out.give(start, end, true, false);
    this.#mark();
    this.#in.at = end;
    return true;
  }

  #goRaw(reason: string): void {
    this.#state = 'raw';
    this.#unparsable = reason;
    this.#outOfStep = false;
  }

  #beginCommand(): void {
    this.#state = 'command';
    this.#scanner.reset();
  }

  /** redis-server runs no command that is not whole, but it has these bytes. */
  #flush(): RedisPiece {
    this.#flushes = false;
    this.#goRaw('unfinished');
    this.#out.give(0, 0, true, false);
    this.#mark();
    return this.#piece;
  }

  /** The piece is of what is no command. */
  #mark(): void {
    this.#piece.unparsable = this.#unparsable;
    this.#piece.refused = this.#unparsable === AFTER_CLOSE || this.#settings.unparsable === 'drop';
  }
}
