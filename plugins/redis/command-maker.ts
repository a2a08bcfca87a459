/** Makes messages of a client's commands, and keeps up to date which database they speak to. */
import type { MessagePiece } from 'tcpcopy/plugin';
import { copyOf } from './bytes.ts';
import { RedisCommand } from './command.ts';
import type { CommandScanner } from './command-scanner.ts';

const LONGEST_WORD = 10;
const EMPTY: Uint8Array = new Uint8Array(0);

/** Of commands in `piece`, as `scanner` has read them. */
export class CommandMaker {
  readonly #scanner: CommandScanner;
  readonly #piece: MessagePiece<RedisCommand>;
  /** `undefined`: not known. */
  #database: number | undefined;
  /** Arguments of the inline request in the piece. */
  #inline: readonly Uint8Array[] | undefined;

  readonly #read = (): RedisCommand => {
    const { bytes, offset, length } = this.#piece;
    const own = copyOf(bytes, offset, offset + length);
    if (this.#inline !== undefined) return RedisCommand.inline(own, this.#inline, this.#database);
    const { spans, found, announced } = this.#scanner;
    return RedisCommand.multibulk(own, spans, found, announced, this.#database);
  };

  constructor(scanner: CommandScanner, piece: MessagePiece<RedisCommand>, database: number | undefined) {
    this.#scanner = scanner;
    this.#piece = piece;
    this.#database = database;
  }

  /**
   * The piece is a whole command; `inline`: its arguments, where it is a line. Its message is made when somebody asks for it.
   * Returns whether redis-server closes after it.
   */
  whole(inline: readonly Uint8Array[] | undefined): boolean {
    this.#inline = inline;
    this.#piece.reader = this.#read;
    return this.#follow();
  }

  /** The piece is the beginning of a command, as far as its bytes go: the scanner is further already. */
  beginning(): void {
    const { spans, announced } = this.#scanner;
    let found = this.#scanner.found;
    while (found > 0 && spans[found * 2 - 2]! + spans[found * 2 - 1]! + 2 > this.#piece.length) found--;
    const { bytes, offset, length } = this.#piece;
    const own = copyOf(bytes, offset, offset + length);
    this.#piece.message = RedisCommand.multibulk(own, spans, found, announced, this.#database);
  }

  /** What a command means for those behind it. */
  #follow(): boolean {
    const { spans } = this.#scanner;
    // Nearly all commands are told apart by the length of their name.
    if (this.#inline === undefined && (spans[1]! < 4 || spans[1]! > 6)) return false;
    switch (this.#word(0)) {
      case 'SELECT':
        // It speaks to the one it chooses.
        if (/^\d{1,9}$/.test(this.#word(1))) this.#database = Number(this.#word(1));
        return false;
      case 'RESET':
        this.#database = 0;
        return false;
      case 'QUIT':
      // A browser's, which redis-server takes for an attack.
      case 'POST':
      case 'HOST:':
        return true;
      default:
        return false;
    }
  }

  /** An argument in upper case; empty when it is long, as no word of ours is. */
  #word(index: number): string {
    const { bytes, offset } = this.#piece;
    if (this.#inline !== undefined) {
      const argument = this.#inline[index] ?? EMPTY;
      return text(argument, 0, argument.length);
    }
    const { spans, found } = this.#scanner;
    return index < found ? text(bytes, offset + spans[index * 2]!, spans[index * 2 + 1]!) : '';
  }
}

function text(bytes: Uint8Array, start: number, length: number): string {
  if (length > LONGEST_WORD) return '';
  return String.fromCharCode(...bytes.subarray(start, start + length)).toUpperCase();
}
