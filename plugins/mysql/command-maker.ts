/**
 * Makes messages of a client's packets, and keeps what the connection is like up to date: what its next packet may be, who is
 * logged in, the default database, the statements. A message is made when its packet is read, so that it says how things
 * stood then.
 *
 * What kind a packet is of is told by its number: commands have 0, the others go on counting where the server stopped.
 *
 *     hello ─ login ─▶ auth ─ number 0 ─▶ command ⇄ file
 *       └ TLS, zstd ─▶ sealed               └ CHANGE_USER ─▶ auth
 */
import type { MessagePiece } from 'tcpcopy/plugin';
import { MysqlCommand } from './command.ts';
import { COMMANDS, type MysqlCommandName } from './command-names.ts';
import { PreparedStatement, type MysqlConnection } from './connection.ts';
import {
  CLIENT,
  compressionOf,
  parseChangeUser,
  parseClientHello,
  USUAL_CLIENT,
  type ChangeUser,
  type HandshakeResponse,
} from './login/index.ts';
import { HEADER_LENGTH } from './packet.ts';
import type { MysqlSettings } from './settings.ts';
import { SqlSession } from './sql/index.ts';

/** What the next packet may be. `sealed`: nobody can read what follows. */
export type Phase = 'hello' | 'auth' | 'command' | 'file' | 'sealed';
export type PacketKind = 'hello' | 'command' | 'file' | 'goes on';

export class CommandMaker {
  phase: Phase;
  readonly #connection: MysqlConnection;
  readonly #stats: MysqlSettings['stats'];
  /** The last command may be followed by a file. */
  #mayAskForFile = false;

  constructor(connection: MysqlConnection, phase: Phase, stats: MysqlSettings['stats']) {
    this.#connection = connection;
    this.phase = phase;
    this.#stats = stats;
  }

  /**
   * What a packet is that has this number and begins with this byte; `undefined`: nothing that can be here. `open`: the
   * message before it has not ended.
   */
  kindOf(sequence: number, code: number, open: boolean): PacketKind | undefined {
    if (this.phase === 'hello') return sequence > 0 ? 'hello' : undefined;
    // Also with the number 0, which comes again in a file of many packets: it ends with an empty one.
    if (this.phase === 'file' && open) return 'goes on';
    if (sequence === 0) return COMMANDS[code] === undefined ? undefined : 'command';
    if (this.phase === 'auth') return 'goes on';
    return this.#mayAskForFile ? 'file' : undefined;
  }

  /** Makes the message of a piece that begins one; false: its bytes are no login. */
  read(kind: Exclude<PacketKind, 'goes on'>, piece: MessagePiece<MysqlCommand>, whole: boolean): boolean {
    const { bytes, offset, length } = piece;
    if (kind === 'hello') {
      piece.message = this.#hello(bytes, offset, length);
      return piece.message !== undefined;
    }
    this.#stats.commands++;
    if (kind === 'file') {
      this.phase = 'file';
      piece.sameSession = true;
      piece.message = this.#file(bytes, offset, length);
    } else {
      const command = this.#command(bytes, offset, length, whole);
      this.phase = command.name === 'CHANGE_USER' ? 'auth' : 'command';
      piece.message = command;
    }
    return true;
  }

  /** A packet has its end; returns whether its message has. `length`: of its payload. */
  packetEnded(length: number): boolean {
    if (this.phase !== 'file') return this.phase === 'command';
    // A file ends with an empty packet.
    if (length > 0) return false;
    this.phase = 'command';
    return true;
  }

  /** The client's first packet; `undefined`: it is no login, nor a wish for TLS. */
  #hello(bytes: Uint8Array, offset: number, length: number): MysqlCommand | undefined {
    const packet = copyOf(bytes, offset, length);
    const hello = parseClientHello(packet.subarray(HEADER_LENGTH));
    if (hello === undefined || hello.kind === 'old') return undefined;
    if (hello.kind === 'tls') {
      this.phase = 'sealed';
      this.#stats.tls++;
      return MysqlCommand.read(this.#connection, 'TLS', packet, true);
    }
    const { capabilities, charset } = hello.response;
    const connection = this.#connection;
    connection.capabilities = capabilities;
    connection.login = hello.response;
    connection.charset = charset;
    connection.session = new SqlSession(charset);
    connection.compression = compressionOf(capabilities);
    this.phase = connection.compression === 'zstd' ? 'sealed' : 'auth';
    if (connection.compression === 'zstd') this.#stats.zstd++;
    else this.#stats.commands++;
    this.#logsIn(hello.response);
    return MysqlCommand.read(connection, 'LOGIN', packet, true, hello.response);
  }

  /** The first packet of a file that the server asked for. */
  #file(bytes: Uint8Array, offset: number, length: number): MysqlCommand {
    this.#mayAskForFile = false;
    return MysqlCommand.read(this.#connection, 'LOCAL_DATA', copyOf(bytes, offset, length), false);
  }

  #command(bytes: Uint8Array, offset: number, length: number, whole: boolean): MysqlCommand {
    const packet = copyOf(bytes, offset, length);
    const name = COMMANDS[packet[HEADER_LENGTH]!]!;
    this.#mayAskForFile = name === 'QUERY' || name === 'STMT_EXECUTE';
    const login = name === 'CHANGE_USER' ? this.#changeOfUser(packet) : undefined;
    const command = MysqlCommand.read(this.#connection, name, packet, whole, login);
    this.#follow(name, command);
    return command;
  }

  #changeOfUser(packet: Buffer): ChangeUser | undefined {
    return parseChangeUser(packet.subarray(HEADER_LENGTH), this.#connection.capabilities ?? USUAL_CHANGE);
  }

  #follow(name: MysqlCommandName, command: MysqlCommand): void {
    const connection = this.#connection;
    switch (name) {
      case 'QUERY':
        this.#followSql(command);
        break;
      case 'INIT_DB':
        connection.schema = command.database;
        break;
      case 'STMT_PREPARE':
        command.prepares = new PreparedStatement(command, command.whole ? command.sql : undefined);
        connection.preparing(command.prepares);
        break;
      case 'STMT_EXECUTE':
        command.statement?.executed(command.bound);
        break;
      case 'STMT_SEND_LONG_DATA':
        command.statement?.sentAheadOf(command.payload);
        break;
      case 'STMT_RESET':
        command.statement?.forgetSentAhead();
        break;
      case 'STMT_CLOSE':
        connection.closed(command.statementId);
        break;
      case 'RESET_CONNECTION':
        connection.reset();
        break;
      case 'CHANGE_USER':
        connection.reset();
        if (command.login !== undefined) this.#logsIn(command.login);
    }
  }

  /** Statements are looked at before the next one is read where they may change how. */
  #followSql(command: MysqlCommand): void {
    const connection = this.#connection;
    const { sqlText } = command;
    if (sqlText === undefined || !SqlSession.concerns(sqlText)) return;
    connection.schema = connection.session.follow(sqlText, command.analysis!) ?? connection.schema;
  }

  #logsIn({ user, database }: HandshakeResponse | ChangeUser): void {
    const connection = this.#connection;
    connection.user = Buffer.from(user).toString();
    connection.schema = database === undefined || database.length === 0 ? undefined : Buffer.from(database).toString();
  }
}

/** What a client is taken to have whose login was not seen: the answer to a challenge with its length before it. */
const USUAL_CHANGE = {
  ...USUAL_CLIENT,
  flags: USUAL_CLIENT.flags | CLIENT.SECURE_CONNECTION | CLIENT.PLUGIN_AUTH | CLIENT.CONNECT_ATTRS,
};

function copyOf(bytes: Uint8Array, offset: number, length: number): Buffer {
  const copy = Buffer.allocUnsafe(length);
  copy.set(bytes.subarray(offset, offset + length));
  return copy;
}
