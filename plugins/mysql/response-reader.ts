/**
 * A server's half of MySQL: bytes in, responses out, each with the command it answers.
 *
 * Theory of operation. Responses answer commands in order, one each; what one is made of, and where it ends, is
 * `ResponseScan`. Before the first comes a greeting, and at any time an error, when the server closes. Behind the login of a
 * compressed session lie frames, and the packets in them.
 */
import { PendingBytes, type ResponseReader, type ServerMessage } from 'tcpcopy/plugin';
import { MysqlCommand } from './command.ts';
import { UNANSWERED } from './command-names.ts';
import type { MysqlConnection } from './connection.ts';
import { Decompressor, parseErr, parseGreeting, type Capabilities } from './login/index.ts';
import { HEADER_LENGTH, LONGEST_PAYLOAD } from './packet.ts';
import { PacketScanner } from './packet-scanner.ts';
import { MysqlResponse } from './response.ts';
import { formatOf, ResponseScan, type ResponseFormat } from './response-scan.ts';
import type { MysqlSettings } from './settings.ts';

/** As much of a packet as is looked at: numbers stand at the beginning, and a message is cut. */
const KEPT = 1024;
const GREETING = 0x0a;
const EOF = 0xfe;
const EOF_LENGTH = 5;
const ERR = 0xff;

/** What is told apart of the two servers whose bytes are read. */
export interface ReaderRole {
  readonly connection: MysqlConnection;
  /** The online server's: its answers tell what the statements of the connection are. */
  readonly online: boolean;
}

export class MysqlResponseReader implements ResponseReader {
  reading = true;
  failure: string | undefined;
  closes = false;
  readonly #settings: MysqlSettings;
  readonly #role: ReaderRole;
  readonly #scanner = new PacketScanner();
  /** The beginning of the packet under way, where it is not all in one push. */
  readonly #kept: PendingBytes;
  #format: ResponseFormat;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  /** Bytes of the payload under way that came before. */
  #before = 0;
  /** The packet under way goes on one of the longest. */
  #goesOn = false;
  #cut = false;
  readonly #expected: MysqlCommand[] = [];
  #scan: ResponseScan | undefined;
  #decompressor: Decompressor | undefined;
  #unknown = 0;
  readonly #said: { message: MysqlResponse | undefined; completes: boolean } = { message: undefined, completes: false };

  /** `capabilities`: what the session has agreed on; `undefined`: the login will tell, or was not seen. */
  constructor(settings: MysqlSettings, role: ReaderRole, capabilities?: Capabilities) {
    this.#settings = settings;
    this.#role = role;
    this.#kept = new PendingBytes(settings.budget);
    this.#format = formatOf(capabilities);
  }

  /** Of the last packet. */
  get sequence(): number {
    return this.#scanner.sequence;
  }

  /** No response is waited for. */
  get idle(): boolean {
    return this.#expected.length === 0;
  }

  sent(message: unknown): boolean {
    if (!(message instanceof MysqlCommand)) return false;
    const { name, connection } = message;
    if (name === 'TLS') {
      this.#stop(undefined);
      return false;
    }
    if (UNANSWERED.includes(name)) return false;
    if (name === 'LOGIN') this.#format = formatOf(connection.agreed);
    else if (this.#role.online && connection.compression === 'zlib' && this.#expected.length === 0) this.#inflates();
    this.#expected.push(message);
    return true;
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#decompressor !== undefined) {
      this.#decompressor.push(bytes, offset, length);
      return;
    }
    this.#bytes = bytes;
    this.#at = offset;
    this.#end = offset + length;
  }

  gap(length: number): void {
    if (this.#decompressor !== undefined || length > this.#scanner.left) return this.#stop('gap');
    this.#cut ||= this.#before < KEPT;
    this.#before += length;
    this.#scanner.skip(length);
    // A row whose end is missing is a row all the same.
    if (this.#scanner.ended && this.#packet(this.#head(this.#bytes, 0, 0)) !== undefined) this.#stop('gap');
  }

  end(): void {
    this.#stop(undefined);
  }

  next(): ServerMessage | undefined {
    while (this.reading) {
      if (this.#at === this.#end && !this.#inflate()) break;
      this.#at = this.#scanner.feed(this.#bytes, this.#at, this.#end);
      const from = this.#at - this.#scanner.taken;
      if (!this.#scanner.ended) {
        this.#keep(from);
        continue;
      }
      const said = this.#packet(this.#head(this.#bytes, from, this.#at));
      if (said !== undefined) return said;
    }
    return undefined;
  }

  #keep(from: number): void {
    const room = Math.max(0, KEPT - this.#before);
    const length = this.#at - from;
    const fits = room === 0 || this.#kept.append(this.#bytes, from, Math.min(room, length));
    if (!fits) this.#stop('no-memory');
    this.#before += length;
  }

  /** The beginning of the packet that has its end: a view, or what was kept and the rest. */
  #head(bytes: Uint8Array, from: number, to: number): Uint8Array {
    if (this.#before === 0) return bytes.subarray(from, Math.min(to, from + KEPT));
    const rest = bytes.subarray(from, Math.max(from, Math.min(to, from + KEPT - this.#before)));
    const head = Buffer.concat([this.#kept.bytes.subarray(0, this.#kept.length), rest]);
    this.#kept.release();
    return head;
  }

  /** A packet is whole. */
  #packet(head: Uint8Array): ServerMessage | undefined {
    const { length, sequence } = this.#scanner;
    const cut = this.#cut;
    const continued = this.#goesOn;
    this.#before = 0;
    this.#cut = false;
    this.#goesOn = length === LONGEST_PAYLOAD;
    if (continued) return undefined;
    const first = head[0] ?? -1;
    const command = this.#expected[0];
    if (this.#scan === undefined) {
      if (sequence === 0 && first === GREETING && (command === undefined || command.name === 'LOGIN'))
        return this.#greet(head);
      // Behind the definitions of a statement, where it was not known whether there would be one.
      if (first === EOF && length === EOF_LENGTH && sequence > 1 && this.#unknown > 0) {
        this.#format.deprecatesEof = false;
        this.#unknown = 0;
        return undefined;
      }
      if (command === undefined) return this.#unasked(head);
      this.#scan = new ResponseScan(command, command.name, this.#format);
    }
    const scan = this.#scan;
    if (cut && !scan.inRows) {
      this.#stop('gap');
      return undefined;
    }
    scan.take(head, length, length + HEADER_LENGTH);
    if (scan.failure !== undefined) {
      this.#settings.stats.unreadable.count(scan.failure);
      this.#stop(scan.failure);
      return undefined;
    }
    return scan.done === undefined ? undefined : this.#answer(command!, scan.done);
  }

  #answer(command: MysqlCommand, response: MysqlResponse): ServerMessage {
    this.#scan = undefined;
    this.#expected.shift();
    this.#settings.stats.responses++;
    this.#unknown = command.name === 'STMT_PREPARE' && this.#format.deprecatesEof === undefined ? 1 : 0;
    if (this.#role.online) this.#follow(command, response);
    this.#said.message = response;
    this.#said.completes = true;
    return this.#said;
  }

  /** What the online server's answers mean for the connection. */
  #follow(command: MysqlCommand, response: MysqlResponse): void {
    const { connection } = this.#role;
    const { statementId } = response;
    if (command.prepares !== undefined) {
      if (statementId === undefined) connection.notPrepared(command.prepares);
      else connection.prepared(statementId, command.prepares, response.parameterCount);
    }
    if (command.name === 'LOGIN' && response.kind === 'ok' && connection.compression === 'zlib') this.#inflates();
  }

  #greet(head: Uint8Array): undefined {
    if (this.#role.online) this.#role.connection.serverCapabilities = parseGreeting(head)?.capabilities;
    if (this.#expected[0]?.name === 'LOGIN') this.#format = formatOf(this.#role.connection.agreed);
    return undefined;
  }

  /** An error before a server closes. */
  #unasked(head: Uint8Array): ServerMessage | undefined {
    const error = head[0] === ERR ? parseErr(head) : undefined;
    if (error === undefined) {
      this.#settings.stats.unreadable.count('unasked');
      this.#stop('unasked');
      return undefined;
    }
    this.closes = true;
    this.#stop(undefined);
    const length = this.#scanner.length + HEADER_LENGTH;
    this.#said.message = new MysqlResponse({ kind: 'error', command: undefined, error, length });
    this.#said.completes = false;
    return this.#said;
  }

  /** From here on the server's bytes are compressed. */
  #inflates(): void {
    if (this.#decompressor !== undefined) return;
    this.#decompressor = new Decompressor(this.#settings.budget);
    if (this.#at < this.#end) this.#decompressor.push(this.#bytes, this.#at, this.#end - this.#at);
    this.#at = this.#end;
  }

  #inflate(): boolean {
    const plain = this.#decompressor?.next();
    if (plain === undefined) {
      if (this.#decompressor?.failure !== undefined) {
        this.#settings.stats.unreadable.count(this.#decompressor.failure);
        this.#stop(this.#decompressor.failure);
      }
      return false;
    }
    this.#bytes = plain;
    this.#at = 0;
    this.#end = plain.length;
    return true;
  }

  #stop(failure: string | undefined): void {
    this.reading = false;
    this.failure ??= failure;
    this.#kept.release();
    this.#decompressor?.end();
  }
}
