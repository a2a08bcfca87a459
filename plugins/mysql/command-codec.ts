/**
 * The client's half of MySQL: bytes in, pieces of commands out.
 *
 * Theory of operation. A message is a command, in one packet or more; a login, with all that the client says until it is
 * let in; or the file that it sends for LOAD DATA LOCAL. What kind a packet is of is told by its number: commands have 0, the
 * others go on counting where the server stopped.
 *
 *     hello ─ login ─▶ auth ─ number 0 ─▶ command ⇄ file
 *       └ TLS, zstd ─▶ sealed               └ CHANGE_USER ─▶ auth
 *
 * A packet that lies whole in one push is handed on where it lies; another is copied together, up to `commandLimit`: of a
 * longer command the beginning is the first piece, and the rest streams past. In a compressed session (zlib) all of this is
 * done to what was inside, and that is what is handed on.
 *
 * After a gap the end of the command under way is known where the gap lies inside one packet. Else, and in a connection that
 * was open when copying began, the next command is looked for at the beginning of a push (boundary.ts).
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
import { detectCommand, detectCompressed, isRun } from './boundary.ts';
import type { MysqlCommand } from './command.ts';
import { CommandMaker } from './command-maker.ts';
import { COMMANDS } from './command-names.ts';
import type { MysqlConnection } from './connection.ts';
import { detectHello } from './detect.ts';
import { Decompressor } from './login/index.ts';
import { LONGEST_PAYLOAD } from './packet.ts';
import { PacketScanner } from './packet-scanner.ts';
import { mysqlSettings, type MysqlSettings } from './settings.ts';

export type MysqlPiece = MessagePiece<MysqlCommand>;

const LONGEST_LOGIN = 64 << 10;

/** What the next packet may be. `sealed`: nobody can read what follows. */
type Phase = 'hello' | 'auth' | 'command' | 'file' | 'sealed';
type Kind = 'hello' | 'command' | 'file' | 'goes on';
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
  #phase: Phase;
  #skipping: Skipping;
  /** The packet under way streams past: its beginning is out. */
  #streams = false;
  /** What the packets are that are held, where there is more than one. */
  #kindHeld: Kind | undefined;
  #flushes = false;
  #wasCompressed = false;
  /** Set in a compressed session, once it is known where its frames begin. */
  #decompressor: Decompressor | undefined;
  /** What the client had seen of the server when it sent the frame under way, and when that was. */
  #frame: ClientBytes | undefined;

  /** `fromSyn`: the connection was seen from its beginning. `fromBoundary`: the first byte pushed begins a message. */
  constructor(
    connection: MysqlConnection,
    fromSyn: boolean,
    settings: MysqlSettings = mysqlSettings(),
    fromBoundary = fromSyn,
  ) {
    this.#settings = settings;
    this.#connection = connection;
    this.#maker = new CommandMaker(connection);
    this.#pending = new PendingBytes(settings.budget);
    this.#out = new PieceOutlet<MysqlCommand>(this.#in, this.#pending);
    this.#piece = this.#out.piece;
    this.#phase = fromSyn ? 'hello' : 'command';
    this.#skipping = fromSyn && fromBoundary ? 'no' : 'all';
  }

  get skippedBytes(): number {
    return this.#swallowed.bytes;
  }

  get skippedMessages(): number {
    return this.#swallowed.messages;
  }

  push(input: ClientBytes): void {
    if (this.#decompressor === undefined) this.#in.push(input);
    else this.#pushFrames(input);
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
    const inside = this.#decompressor === undefined && length <= this.#scanner.left && this.#phase === 'command';
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
    this.#decompressor?.end();
    this.#flushes = this.#out.holds;
  }

  /** Reads on; true when a piece is ready. */
  #step(): boolean {
    if (this.#phase === 'sealed') return this.#passSealed();
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
    const limit = this.#phase === 'hello' ? LONGEST_LOGIN : this.#settings.commandLimit;
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
  #kind(): Kind | undefined {
    if (this.#kindHeld !== undefined) return this.#kindHeld;
    const { sequence, code } = this.#scanner;
    if (this.#phase === 'hello') return sequence > 0 ? 'hello' : undefined;
    // Also with the number 0, which comes again in a file of many packets: it ends with an empty one.
    if (this.#phase === 'file' && this.#out.open) return 'goes on';
    if (sequence === 0) return COMMANDS[code] === undefined ? undefined : 'command';
    if (this.#phase === 'auth') return 'goes on';
    return this.#maker.mayAskForFile ? 'file' : undefined;
  }

  /** Makes the message of the piece that is ready; false: its bytes are no login. */
  #read(kind: Kind, whole: boolean): boolean {
    const piece = this.#piece;
    if (kind === 'goes on') return true;
    const { bytes, offset, length } = piece;
    if (kind === 'hello') {
      const hello = this.#maker.hello(bytes, offset, length);
      if (hello === undefined) return false;
      piece.message = hello;
      const { compression } = this.#connection;
      this.#phase = hello.name === 'TLS' || compression === 'zstd' ? 'sealed' : 'auth';
      if (hello.name === 'TLS') this.#settings.stats.tls++;
      else if (compression === 'zstd') this.#settings.stats.zstd++;
      else this.#settings.stats.commands++;
      return true;
    }
    this.#settings.stats.commands++;
    this.#swallowed.separate();
    if (kind === 'file') {
      this.#phase = 'file';
      piece.sameSession = true;
      piece.message = this.#maker.file(bytes, offset, length);
    } else {
      const command = this.#maker.command(bytes, offset, length, whole);
      this.#phase = command.name === 'CHANGE_USER' ? 'auth' : 'command';
      piece.message = command;
    }
    return true;
  }

  /** The packet of the piece that is ready has its end: whether its message has. */
  #finish(): void {
    const file = this.#phase === 'file';
    // A file ends with an empty packet.
    const last = file ? this.#scanner.length === 0 : this.#phase === 'command';
    this.#out.endMessage(last);
    if (file && last) this.#phase = 'command';
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
    const found = input.atStart ? this.#find(bytes, at, end, beginsTurn) : undefined;
    if (found === undefined) {
      this.#swallowed.add(end - at);
      input.at = end;
      return false;
    }
    this.#skipping = 'no';
    this.#scanner.reset();
    this.#settings.stats.resynchronised++;
    this.#phase = found === 'hello' ? 'hello' : 'command';
    if (found !== 'zlib') return false;
    return this.#compress(at);
  }

  #find(bytes: Uint8Array, from: number, to: number, turned: boolean): 'hello' | 'command' | 'zlib' | undefined {
    const { capabilities, compression } = this.#connection;
    if (compression === 'zlib') return detectCompressed(bytes, from, to) ? 'zlib' : undefined;
    if (turned && detectHello(bytes, from, to) === 'yes') return 'hello';
    if (isRun(bytes, from, to)) return 'command';
    if (turned && capabilities === undefined && detectCompressed(bytes, from, to)) return 'zlib';
    return turned && detectCommand(bytes, from, to, false) !== 'no' ? 'command' : undefined;
  }

  /** Where the next message begins is not known any more. */
  #lose(): void {
    this.#skipping = 'all';
    this.#kindHeld = undefined;
    this.#scanner.reset();
    if (this.#phase === 'sealed') return;
    this.#phase = 'command';
    // Where its frames begin is not known either.
    this.#decompressor?.end();
    this.#decompressor = undefined;
    this.#frame = undefined;
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
      this.#decompressor === undefined && this.#connection.compression === 'zlib' && this.#phase === 'auth';
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
    this.#phase = 'command';
    if (!this.#wasCompressed) this.#settings.stats.compressed++;
    this.#wasCompressed = true;
    this.#connection.compression = 'zlib';
    this.#decompressor = new Decompressor(this.#settings.budget);
    this.#frame = undefined;
    this.#pushFrames({ bytes: frame, offset: 0, length: frame.length, time, serverBytesSeen: seen });
    return false;
  }

  #pushFrames(input: ClientBytes): void {
    const before = this.#frame?.serverBytesSeen ?? 0;
    this.#frame = { ...input, serverBytesSeen: input.serverBytesSeen + before };
    this.#decompressor!.push(input.bytes, input.offset, input.length);
  }

  /** The next bytes of a compressed session become the input; false when there are none. */
  #inflate(): boolean {
    const frame = this.#frame;
    const plain = frame === undefined ? undefined : this.#decompressor?.next();
    if (plain === undefined) {
      const failure = this.#decompressor?.failure;
      if (failure !== undefined) this.#fail(failure, this.#in.end);
      return false;
    }
    this.#in.push({ ...frame!, bytes: plain, offset: 0, length: plain.length });
    this.#frame = { ...frame!, serverBytesSeen: 0 };
    return true;
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
