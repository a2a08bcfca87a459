/**
 * The client's half of MySQL: bytes in, pieces of commands out.
 *
 * Theory of operation. A message is a command, in one packet or more; a login, with all that the client says until it is
 * let in; or the file that it sends for LOAD DATA LOCAL. Which of them a packet is of, command-maker.ts knows.
 *
 * A packet that lies whole in one push is handed on where it lies; another is copied together, up to `commandLimit`: of a
 * longer command the beginning is the first piece, and the rest streams past. In a compressed session (zlib) all of this is
 * done to what was inside, and that is what is handed on.
 *
 * After a gap the end of the command under way is known where the gap lies inside one packet. Else, and in a connection that
 * was open when copying began, the next command is looked for at the beginning of a push (detect.ts, boundary.ts).
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
import type { MysqlCommand } from './command.ts';
import { CommandMaker, type PacketKind } from './command-maker.ts';
import { CompressedInput } from './compressed-input.ts';
import type { MysqlConnection } from './connection.ts';
import { findMessage } from './detect.ts';
import { LONGEST_PAYLOAD } from './packet.ts';
import { PacketScanner } from './packet-scanner.ts';
import { mysqlSettings, type MysqlSettings } from './settings.ts';

export type MysqlPiece = MessagePiece<MysqlCommand>;

const LONGEST_LOGIN = 64 << 10;

/** Bytes that are not handed on, of a message that is lost: to its end, or until another is found. */
type Skipping = 'no' | 'message' | 'all';

export class MysqlCommandCodec implements Codec {
  readonly protocol = 'mysql';
  readonly #settings: MysqlSettings;
  readonly #connection: MysqlConnection;
  readonly #maker: CommandMaker;
  readonly #scanner = new PacketScanner();
  readonly #in = new ClientInput();
  readonly #pending: PendingBytes;
  readonly #out: PieceOutlet<MysqlCommand>;
  readonly #piece: MysqlPiece;
  readonly #swallowed = new Swallowed();
  #skipping: Skipping;
  /** The packet under way streams past: its beginning is out. */
  #streams = false;
  /** What the packets are that are held, where there is more than one. */
  #kindHeld: PacketKind | undefined;
  #flushes = false;
  #wasCompressed = false;
  /** Set in a compressed session, once it is known where its frames begin. */
  #compressed: CompressedInput | undefined;

  /** `fromSyn`: the connection was seen from its beginning. `fromBoundary`: the first byte pushed begins a message. */
  constructor(
    connection: MysqlConnection,
    fromSyn: boolean,
    settings: MysqlSettings = mysqlSettings(),
    fromBoundary = fromSyn,
  ) {
    this.#settings = settings;
    this.#connection = connection;
    this.#maker = new CommandMaker(connection, fromSyn ? 'hello' : 'command', settings.stats);
    this.#pending = new PendingBytes(settings.budget);
    this.#out = new PieceOutlet<MysqlCommand>(this.#in, this.#pending);
    this.#piece = this.#out.piece;
    this.#skipping = fromSyn && fromBoundary ? 'no' : 'all';
  }

  get skippedBytes(): number {
    return this.#swallowed.bytes;
  }

  get skippedMessages(): number {
    return this.#swallowed.messages;
  }

  push(input: ClientBytes): void {
    if (this.#compressed === undefined) this.#in.push(input);
    else this.#compressed.push(input);
  }

  next(): MysqlPiece | undefined {
    if (this.#out.next()) return this.#piece;
    if (this.#flushes) return this.#flush();
    for (;;) {
      while (this.#in.left > 0) if (this.#step()) return this.#piece;
      if (!this.#inflate()) return undefined;
    }
  }

  gap(length: number): boolean {
    const broken = this.#out.open;
    if (broken) this.#swallowed.followsBroken();
    if (this.#out.holds) {
      // What is held behind a login is the next command.
      if (this.#scanner.hasHeader && this.#scanner.sequence === 0) this.#swallowed.separate();
      this.#swallowed.add(this.#pending.length);
    }
    this.#out.drop();
    this.#streams = false;
    this.#kindHeld = undefined;
    this.#in.cut();
    const inside = this.#compressed === undefined && length <= this.#scanner.left && this.#maker.phase === 'command';
    if (inside) {
      if (broken) this.#swallowed.addStray(length);
      else this.#swallowed.add(length);
      this.#scanner.skip(length);
      this.#skipping = 'message';
      if (this.#scanner.ended && this.#scanner.length < LONGEST_PAYLOAD) this.#skipped();
      return broken;
    }
    // What lies behind the end of a packet is another message's, as far as that can be told.
    if (!this.#scanner.idle && broken) this.#swallowed.separate();
    this.#swallowed.add(length);
    this.#lose();
    return broken;
  }

  /** The client will send no more: what is held back is given out by `next`, and memory is given back. */
  end(): void {
    this.#compressed?.end();
    this.#flushes = this.#out.holds;
  }

  /** Reads on; true when a piece is ready. */
  #step(): boolean {
    if (this.#maker.phase === 'sealed') return this.#passSealed();
    if (this.#skipping === 'all') return this.#seek();
    if (this.#skipping === 'message') return this.#skip();
    const input = this.#in;
    const start = input.at;
    const fresh = this.#scanner.idle && !this.#streams && this.#pending.length === 0;
    if (fresh) input.begin();
    input.at = this.#scanner.feed(input.bytes, start, input.end);
    if (this.#beginsCompression()) return this.#compress(start);
    if (this.#streams) return this.#stream(start);
    if (!this.#scanner.ended || this.#scanner.length === LONGEST_PAYLOAD) return this.#hold(start);
    return this.#emitWhole(start);
  }

  /** Keeps the beginning of a packet; true when it has outgrown the limit and its first piece goes out. */
  #hold(start: number): boolean {
    const { bytes, at } = this.#in;
    const length = this.#pending.length + at - start;
    // A login has to be read as a whole.
    const limit = this.#maker.phase === 'hello' ? LONGEST_LOGIN : this.#settings.commandLimit;
    const kind = this.#kind();
    // It goes on in the next packet, which has another number.
    if (this.#scanner.ended && kind !== undefined) this.#kindHeld = kind;
    if (length <= limit && this.#pending.append(bytes, start, at - start)) return false;
    if (kind === undefined || kind === 'hello')
      return this.#fail(kind === undefined ? 'no-command' : 'long-login', start);
    this.#streams = true;
    this.#settings.stats.streamed++;
    this.#give(start, at, kind !== 'goes on');
    this.#read(kind, false);
    return true;
  }

  /** The packet from `start` on, and what is pending of it, is whole. */
  #emitWhole(start: number): boolean {
    const { bytes, at } = this.#in;
    const kind = this.#kind();
    if (kind === undefined) return this.#fail('no-command', start);
    const pending = this.#pending;
    if (pending.length > 0 && !pending.append(bytes, start, at - start)) return this.#fail('no-memory', start);
    const from = pending.length > 0 ? at : start;
    this.#give(from, at, kind !== 'goes on');
    if (!this.#read(kind, true)) return this.#fail('no-login', from);
    this.#finish();
    return true;
  }

  /** The rest of a packet, and of those that it goes on in, goes on as it comes. */
  #stream(start: number): boolean {
    const ended = this.#scanner.ended && this.#scanner.length < LONGEST_PAYLOAD;
    this.#give(start, this.#in.at, false);
    if (ended) {
      this.#streams = false;
      this.#finish();
    }
    return true;
  }

  /** What the packet under way is; `undefined`: nothing that can be here. */
  #kind(): PacketKind | undefined {
    return this.#kindHeld ?? this.#maker.kindOf(this.#scanner.sequence, this.#scanner.code, this.#out.open);
  }

  /** Makes the message of the piece that is ready; false: its bytes are no login. */
  #read(kind: PacketKind, whole: boolean): boolean {
    if (kind === 'goes on') return true;
    if (kind !== 'hello') this.#swallowed.separate();
    return this.#maker.read(kind, this.#piece, whole);
  }

  /** The packet of the piece that is ready has its end: whether its message has. */
  #finish(): void {
    this.#out.endMessage(this.#maker.packetEnded(this.#scanner.length));
  }

  /** The rest of a message that is lost, to its end. */
  #skip(): boolean {
    const input = this.#in;
    const start = input.at;
    input.at = this.#scanner.feed(input.bytes, start, input.end);
    this.#swallowed.addStray(input.at - start);
    if (this.#scanner.ended && this.#scanner.length < LONGEST_PAYLOAD) this.#skipped();
    return false;
  }

  #skipped(): void {
    this.#skipping = 'no';
    this.#swallowed.separate();
  }

  /** Looks for a message at the beginning of the push. */
  #seek(): boolean {
    const input = this.#in;
    const { bytes, at, end, beginsTurn } = input;
    const found = input.atStart ? findMessage(bytes, at, end, beginsTurn, this.#connection) : undefined;
    if (found === undefined) {
      this.#swallowed.add(end - at);
      input.at = end;
      return false;
    }
    this.#skipping = 'no';
    this.#scanner.reset();
    this.#settings.stats.resynchronised++;
    this.#maker.phase = found === 'hello' ? 'hello' : 'command';
    if (found !== 'zlib') return false;
    return this.#compress(at);
  }

  /** Where the next message begins is not known any more. */
  #lose(): void {
    this.#skipping = 'all';
    this.#kindHeld = undefined;
    this.#scanner.reset();
    if (this.#maker.phase === 'sealed') return;
    this.#maker.phase = 'command';
    // Where its frames begin is not known either.
    this.#compressed?.end();
    this.#compressed = undefined;
  }

  /** These bytes are nothing that can be here, from `start` on and with what is pending. */
  #fail(reason: string, start: number): boolean {
    this.#settings.stats.unparsable.count(reason);
    const input = this.#in;
    this.#swallowed.separate();
    this.#swallowed.add(this.#pending.length + input.end - start);
    this.#out.drop();
    input.cut();
    this.#streams = false;
    this.#lose();
    return false;
  }

  #passSealed(): boolean {
    const input = this.#in;
    if (!this.#out.open) {
      this.#swallowed.add(input.left);
      input.at = input.end;
      return false;
    }
    this.#give(input.at, input.end, false);
    input.at = input.end;
    return true;
  }

  /** The packet under way is the first frame of a compressed session. */
  #beginsCompression(): boolean {
    const { hasHeader, ended, sequence } = this.#scanner;
    const pending =
      this.#compressed === undefined && this.#connection.compression === 'zlib' && this.#maker.phase === 'auth';
    return pending && sequence === 0 && (hasHeader || ended);
  }

  /** What is read from here on lies in compressed frames: from `start` on, and what is pending. */
  #compress(start: number): boolean {
    const { bytes, end, time } = this.#in;
    const frame = Buffer.concat([this.#pending.bytes.subarray(0, this.#pending.length), bytes.subarray(start, end)]);
    this.#out.drop();
    const seen = Math.max(this.#in.seen, this.#in.answers);
    this.#in.cut();
    this.#scanner.reset();
    this.#maker.phase = 'command';
    if (!this.#wasCompressed) this.#settings.stats.compressed++;
    this.#wasCompressed = true;
    this.#connection.compression = 'zlib';
    this.#compressed = new CompressedInput(this.#settings.budget);
    this.#compressed.push({ bytes: frame, offset: 0, length: frame.length, time, serverBytesSeen: seen });
    return false;
  }

  /** The next bytes of a compressed session become the input; false when there are none. */
  #inflate(): boolean {
    const compressed = this.#compressed;
    if (compressed === undefined) return false;
    if (compressed.next(this.#in)) return true;
    if (compressed.failure !== undefined) this.#fail(compressed.failure, this.#in.end);
    return false;
  }

  /** The server does nothing about a command that is not whole. */
  #flush(): MysqlPiece {
    this.#flushes = false;
    this.#settings.stats.unparsable.count('unfinished');
    this.#give(0, 0, !this.#out.open);
    this.#piece.unparsable = 'unfinished';
    this.#piece.refused = true;
    return this.#piece;
  }

  /** A piece of what is pending and of the push. Whether its message ends there is told when it has been read. */
  #give(from: number, to: number, first: boolean): void {
    this.#out.give(from, to, first, false);
    this.#kindHeld = undefined;
  }
}
