/**
 * One response, packet by packet: what kind of packet comes next, and where the response ends. Nothing of rows is kept.
 *
 * Theory of operation. What is expected depends on the command; what a packet is, on its first byte and its length:
 *
 *     login ─ greeting, switch, more data … ─▶ OK or ERR
 *     single ─▶ OK, ERR, EOF, or a text
 *     results ─┬─▶ OK, ERR, or a wish for a file
 *              └ number of columns ─▶ columns ─(EOF)▶ rows ─▶ EOF, OK in its place, or ERR ─ more results ─▶ results
 *     prepare ─▶ ERR, or the statement ─▶ its parameters ─(EOF)▶ its columns ─(EOF)▶
 *     rows (FETCH), fields (FIELD_LIST) ─▶ EOF, OK in its place, or ERR
 *
 * Whether there are EOF packets behind columns is part of what both sides agreed on; where that is not known it is told from
 * the first packet behind them: an EOF packet has 5 bytes, an OK in its place more, a row begins with neither.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response.html
 * https://mariadb.com/kb/en/result-set-packets/
 */
import type { MysqlCommand } from './command.ts';
import type { MysqlCommandName } from './command-names.ts';
import { CLIENT, MARIADB, PacketReader, parseErr, parseOk, type Capabilities, type ErrPacket } from './login/index.ts';
import { MysqlResponse, type ResponseKind } from './response.ts';
import { STATUS } from './status.ts';

const OK = 0x00;
const FILE = 0xfb;
const EOF = 0xfe;
const ERR = 0xff;
const EOF_LENGTH = 5;
const SHORTEST_OK = 7;
/** What begins with 0xfe and is longer is a row, whose first value is that long. */
const LONGEST_END = 0xff_ff_ff;
/** MariaDB tells of its progress with an error that is none. */
const PROGRESS = 0xffff;

type State =
  | 'login'
  | 'single'
  | 'text'
  | 'results'
  | 'columns'
  | 'behind-columns'
  | 'rows'
  | 'prepare'
  | 'definitions'
  | 'fields';

/** What both sides agreed on, as far as that matters here; `undefined`: not known yet. */
export interface ResponseFormat {
  deprecatesEof: boolean | undefined;
  /** A byte before the number of columns (MySQL), or behind it (MariaDB), says whether they follow. */
  optionalMetadata: boolean;
  cachesMetadata: boolean | undefined;
}

/** `undefined`: a login that was not seen. */
export function formatOf(capabilities: Capabilities | undefined): ResponseFormat {
  if (capabilities === undefined)
    return { deprecatesEof: undefined, optionalMetadata: false, cachesMetadata: undefined };
  const { flags, extended } = capabilities;
  return {
    deprecatesEof: (flags & CLIENT.DEPRECATE_EOF) !== 0,
    optionalMetadata: (flags & CLIENT.OPTIONAL_RESULTSET_METADATA) !== 0,
    cachesMetadata: (extended & MARIADB.CACHE_METADATA) !== 0,
  };
}

const STATES: Partial<Record<MysqlCommandName, State>> = {
  LOGIN: 'login',
  CHANGE_USER: 'login',
  QUERY: 'results',
  STMT_EXECUTE: 'results',
  STMT_BULK_EXECUTE: 'results',
  PROCESS_INFO: 'results',
  LOCAL_DATA: 'results',
  STMT_PREPARE: 'prepare',
  STMT_FETCH: 'rows',
  FIELD_LIST: 'fields',
  STATISTICS: 'text',
};

export class ResponseScan {
  /** Set when the response, or the part of it before a file, is whole. */
  done: MysqlResponse | undefined;
  /** What was wrong: a few constant words. */
  failure: string | undefined;
  readonly #command: MysqlCommand | undefined;
  readonly #format: ResponseFormat;
  #state: State;
  /** Definitions still to come. */
  #left = 0;
  /** Columns behind the parameters of a statement. */
  #columnsLeft = 0;
  #length = 0;
  readonly #said = { resultSets: 0, rows: 0, columns: 0, affectedRows: 0, insertId: 0, warnings: 0, parameterCount: 0 };
  #status: number | undefined;
  #statementId: number | undefined;

  constructor(command: MysqlCommand | undefined, name: MysqlCommandName, format: ResponseFormat) {
    this.#command = command;
    this.#format = format;
    this.#state = STATES[name] ?? 'single';
  }

  /** Rows come, of which nothing is looked at but that they are some. */
  get inRows(): boolean {
    return this.#state === 'rows';
  }

  /** A packet: its payload as far as it was kept, and how long it is. `wire`: its bytes with all headers. */
  take(payload: Uint8Array, length: number, wire: number): void {
    this.#length += wire;
    const first = payload[0] ?? -1;
    if (first === ERR && this.#state !== 'columns') return this.#error(payload);
    switch (this.#state) {
      case 'login':
        // The greeting, another method, or more of it.
        if (first === OK) this.#ok(payload);
        return;
      case 'text':
        return this.#end('text');
      case 'single':
        return this.#single(payload, first, length);
      case 'results':
        return this.#result(payload, first);
      case 'columns':
        return this.#column();
      case 'behind-columns':
        return this.#behindColumns(payload, first, length);
      case 'rows':
      case 'fields':
        return this.#row(payload, first, length);
      case 'prepare':
        return this.#statement(payload, first);
      case 'definitions':
        return this.#definition(first, length);
    }
  }

  #single(payload: Uint8Array, first: number, length: number): void {
    if (first === EOF && length === EOF_LENGTH) this.#eof(payload);
    else if (first === OK || first === EOF) this.#ok(payload);
    else this.#end('text');
  }

  #result(payload: Uint8Array, first: number): void {
    // A zero may say that no columns follow.
    const isOk = first === OK && !(this.#format.optionalMetadata && payload.length < SHORTEST_OK);
    if (isOk) return this.#ok(payload);
    if (first === FILE) return this.#end('file-wanted');
    const reader = new PacketReader(payload);
    let follow = true;
    if (this.#format.optionalMetadata) follow = reader.u8() !== 0;
    const columns = reader.lenenc();
    if (this.#format.cachesMetadata !== false && !this.#format.optionalMetadata && reader.left > 0) {
      this.#format.cachesMetadata = true;
      follow = reader.u8() !== 0;
    }
    if (reader.failed || reader.left > 0 || columns === 0) return this.#fail('result');
    this.#said.resultSets++;
    this.#said.columns = columns;
    this.#left = columns;
    this.#state = follow ? 'columns' : this.#afterColumns();
  }

  #column(): void {
    if (--this.#left === 0) this.#state = this.#afterColumns();
  }

  #afterColumns(): State {
    return this.#format.deprecatesEof === true ? 'rows' : 'behind-columns';
  }

  #behindColumns(payload: Uint8Array, first: number, length: number): void {
    const isEof = first === EOF && length === EOF_LENGTH;
    this.#format.deprecatesEof ??= !isEof;
    this.#state = 'rows';
    if (!isEof) return this.#format.deprecatesEof ? this.#row(payload, first, length) : this.#fail('columns');
    const status = statusOfEof(payload);
    // The rows wait for FETCH.
    if ((status & STATUS.CURSOR_EXISTS) !== 0) this.#eof(payload);
  }

  #row(payload: Uint8Array, first: number, length: number): void {
    if (first === EOF && length === EOF_LENGTH) return this.#eof(payload);
    const isOk = first === EOF && length >= SHORTEST_OK && length < LONGEST_END && this.#format.deprecatesEof !== false;
    if (isOk) return this.#ok(payload);
    if (this.#state === 'rows') this.#said.rows++;
  }

  #statement(payload: Uint8Array, first: number): void {
    const reader = new PacketReader(payload, 1);
    this.#statementId = reader.u32();
    this.#columnsLeft = reader.u16();
    const parameters = reader.u16();
    reader.u8();
    this.#said.warnings = reader.left >= 2 ? reader.u16() : 0;
    const follow = !this.#format.optionalMetadata || reader.left === 0 || reader.u8() !== 0;
    if (reader.failed || first !== OK) return this.#fail('statement');
    this.#said.parameterCount = parameters;
    this.#said.columns = this.#columnsLeft;
    this.#left = parameters;
    if (!follow) return this.#end('ok');
    this.#nextDefinitions();
  }

  #definition(first: number, length: number): void {
    if (first === EOF && length === EOF_LENGTH) {
      this.#format.deprecatesEof ??= false;
      if (this.#left === 0) this.#nextDefinitions();
      return;
    }
    if (this.#left === 0) {
      // No EOF before the columns.
      this.#format.deprecatesEof ??= true;
      this.#nextDefinitions();
    }
    if (--this.#left > 0 || this.#format.deprecatesEof === false) return;
    // Where it is not known whether an EOF follows the last definition, the reader takes it if it comes.
    if (this.#format.deprecatesEof === true || this.#columnsLeft === 0) this.#nextDefinitions();
  }

  #nextDefinitions(): void {
    this.#state = 'definitions';
    if (this.#left > 0) return;
    if (this.#columnsLeft === 0) return this.#end('ok');
    this.#left = this.#columnsLeft;
    this.#columnsLeft = 0;
  }

  #ok(payload: Uint8Array): void {
    const ok = parseOk(payload);
    if (ok === undefined) return this.#fail('ok');
    this.#said.affectedRows += ok.affectedRows;
    this.#said.insertId = ok.lastInsertId;
    this.#said.warnings = ok.warnings;
    this.#ended(ok.status);
  }

  #eof(payload: Uint8Array): void {
    this.#said.warnings = payload[1]! | (payload[2]! << 8);
    this.#ended(statusOfEof(payload));
  }

  #ended(status: number): void {
    this.#status = status;
    const more = (status & STATUS.MORE_RESULTS) !== 0 && this.#state !== 'login' && this.#state !== 'single';
    if (more) this.#state = 'results';
    else this.#end('ok');
  }

  #error(payload: Uint8Array): void {
    const error = parseErr(payload);
    if (error === undefined) return this.#fail('error');
    if (error.code === PROGRESS) return;
    this.#end('error', error);
  }

  #end(kind: ResponseKind, error?: ErrPacket): void {
    this.done = new MysqlResponse({
      ...{ kind, error, command: this.#command, ...this.#said },
      ...{ serverStatus: this.#status, statementId: this.#statementId, length: this.#length },
    });
  }

  #fail(failure: string): void {
    this.failure = failure;
  }
}

function statusOfEof(payload: Uint8Array): number {
  return payload[3]! | (payload[4]! << 8);
}
