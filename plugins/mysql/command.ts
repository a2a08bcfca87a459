/**
 * What a client sends, as plugins see it: one command, or its login. It owns its bytes, so it may be kept.
 *
 * A command longer than `commandLimit` is here with its beginning only (`whole` is false), and its rest streams past.
 */
import { isAscii } from 'node:buffer';
import type { MysqlConnection, PreparedStatement } from './connection.ts';
import { boundToExecute, boundToQuery, readParameters, STATEMENT_ID_AT, type BoundParameters } from './bound.ts';
import { ABOUT_STATEMENT, type MysqlCommandName } from './command-names.ts';
import type { ChangeUser, HandshakeResponse } from './login/index.ts';
import { PacketReader } from './login/index.ts';
import { payloadOf, toPackets } from './packet.ts';
import { utf8, type MysqlParameter, type MysqlValue } from './parameters.ts';
import { withoutSecrets } from './secrets.ts';
import { mapSchemas, type SchemaMap, type SqlAnalysis, type SqlMode } from './sql/index.ts';

/** The rest of the payload is text: of SQL, or a name. */
const WITH_SQL: readonly MysqlCommandName[] = ['QUERY', 'STMT_PREPARE'];
const WITH_NAME: readonly MysqlCommandName[] = ['INIT_DB', 'CREATE_DB', 'DROP_DB'];
/** MariaDB: the statement that was prepared last. */
const LAST_STATEMENT = 0xffff_ffff;
const SHOWN_TEXT = 400;
const SHOWN_VALUE = 40;
const SHOWN_PARAMETERS = 20;
const NO_IDS: ReadonlySet<number> = new Set();

/** Changes made so far. */
interface Changes {
  readonly sql?: string | undefined;
  readonly database?: string | undefined;
}

interface Captured {
  readonly name: MysqlCommandName;
  /** Packets as they came, headers included; of a long one its beginning. */
  readonly bytes: Buffer;
  readonly whole: boolean;
  /** The login, or the change of user, as it was read; `undefined` for others. */
  readonly login: HandshakeResponse | ChangeUser | undefined;
  readonly schema: string | undefined;
  readonly user: string | undefined;
  readonly statement: PreparedStatement | undefined;
  /** Types of its parameters, where the client leaves them as they were. */
  readonly types: Uint8Array | undefined;
  readonly sentAhead: ReadonlySet<number>;
  /** Attributes stand before the text of a query. */
  readonly attributes: boolean;
  /** How its text is to be read. */
  readonly mode: SqlMode;
}

export class MysqlCommand {
  /** What is known of the connection online. */
  readonly connection: MysqlConnection;
  readonly #captured: Captured;
  /** Of STMT_PREPARE: the statement that it makes. */
  prepares: PreparedStatement | undefined;
  #changes: Changes = {};
  #payload: Buffer | undefined;
  /** The captured text. */
  #text: string | undefined;
  #parts: { readonly bound: BoundParameters | undefined; readonly textAt: number } | undefined;
  #analysis: { readonly of: string; readonly found: SqlAnalysis } | undefined;

  private constructor(connection: MysqlConnection, captured: Captured) {
    this.connection = connection;
    this.#captured = captured;
  }

  /** For codecs. `bytes` must be nobody else's. */
  static read(
    connection: MysqlConnection,
    name: MysqlCommandName,
    bytes: Buffer,
    whole: boolean,
    login?: HandshakeResponse | ChangeUser,
  ): MysqlCommand {
    const id = ABOUT_STATEMENT.includes(name) ? statementIdOf(bytes) : undefined;
    const statement = id === undefined ? undefined : connection.statement(id);
    return new MysqlCommand(connection, {
      name,
      bytes,
      whole,
      login,
      statement,
      schema: connection.schema,
      user: connection.user,
      types: statement?.types,
      sentAhead: statement?.sentAhead ?? NO_IDS,
      attributes: name === 'QUERY' && connection.hasAttributes(bytes),
      mode: connection.session.mode,
    });
  }

  /** As the protocol calls it, without COM_; `LOGIN`, `TLS` and `LOCAL_DATA` for what is none. */
  get name(): MysqlCommandName {
    return this.#captured.name;
  }

  /** All of it is here. `false`: it is longer than `commandLimit`, and its rest streams past. */
  get whole(): boolean {
    return this.#captured.whole;
  }

  /** The default database online when it was sent; `undefined`: none, or not known. */
  get schema(): string | undefined {
    return this.#captured.schema;
  }

  /** Who sent it, as that user is called online; `undefined`: not known, the connection was open before. */
  get user(): string | undefined {
    return this.#captured.user;
  }

  /** Whom LOGIN and CHANGE_USER ask to be let in as; `undefined` for other commands. */
  get newUser(): string | undefined {
    return this.login === undefined ? undefined : decode(this.login.user);
  }

  /** What is asked for with the login, or the change of user; `undefined` for other commands. */
  get login(): HandshakeResponse | ChangeUser | undefined {
    return this.#captured.login;
  }

  /** The prepared statement that it is about, where it is about one and that is known. */
  get statement(): PreparedStatement | undefined {
    return this.#captured.statement;
  }

  /** Its id on the online server; `undefined` for commands that name none. */
  get statementId(): number | undefined {
    return ABOUT_STATEMENT.includes(this.name) ? statementIdOf(this.#captured.bytes) : undefined;
  }

  /**
   * The text of QUERY and STMT_PREPARE, its beginning where they are not whole; of commands about a statement the text that
   * this was prepared with, where known. `undefined` for others. One character a byte where it is no UTF-8.
   */
  get sql(): string | undefined {
    const { sql } = this.#changes;
    if (sql !== undefined) return sql;
    return this.#hasText ? (this.#text ??= decode(this.#capturedText)) : this.statement?.sql;
  }

  /** Puts another text in its place. Throws for commands that have none of their own, and for those that are not whole. */
  set sql(sql: string) {
    if (!this.#hasText) throw new TypeError(`${this.name} has no text that could be changed`);
    if (!this.whole) throw new TypeError('this command streams past: its text cannot be changed');
    if (sql !== this.sql) this.#changes = { ...this.#changes, sql };
  }

  /**
   * What its SQL does and names, and its digest, as it stands; of commands about a statement that of the text that this was
   * prepared with. `undefined`: there is none, or it is not known.
   */
  get analysis(): SqlAnalysis | undefined {
    const { sqlText } = this;
    if (sqlText === undefined) return this.statement?.command.analysis;
    if (this.#analysis?.of !== sqlText) {
      const { mode } = this.#captured;
      const { session, analyzer } = this.connection;
      const context = { mode, prepared: (name: string) => session.prepared(name) };
      this.#analysis = { of: sqlText, found: analyzer.analyze(sqlText, context, this.whole) };
    }
    return this.#analysis.found;
  }

  /** Gives schemas in its SQL other names, those of tables and routines among them; not those in strings and comments. */
  mapSchemas(map: SchemaMap): void {
    const { sqlText } = this;
    if (sqlText === undefined) return;
    const { mode } = this.#captured;
    const mapped = mapSchemas(sqlText, mode, map);
    if (mapped !== sqlText) this.sql = mode.multiByte === undefined ? mapped : decode(Buffer.from(mapped, 'latin1'));
  }

  /** The text of its own as it is to be read: a character a byte where characters may end in bytes that look like quotes. */
  get sqlText(): string | undefined {
    if (!this.#hasText) return undefined;
    return this.#captured.mode.multiByte === undefined ? this.sql : Buffer.from(this.textBytes).toString('latin1');
  }

  /** The database that LOGIN, CHANGE_USER, INIT_DB, CREATE_DB or DROP_DB names; else, and for a login without one, `undefined`. */
  get database(): string | undefined {
    const { database } = this.#changes;
    if (database !== undefined) return database;
    if (WITH_NAME.includes(this.name)) return decode(this.payload.subarray(1));
    const named = this.login?.database;
    return named === undefined || named.length === 0 ? undefined : decode(named);
  }

  /** Names another one. Throws for commands that name none. */
  set database(database: string) {
    if (this.database === undefined) throw new TypeError(`this ${this.name} names no database`);
    if (database !== this.database) this.#changes = { ...this.#changes, database };
  }

  /**
   * The values that EXECUTE brings; `undefined` for other commands, and where they cannot be read: the statement is not
   * known, or the command not whole.
   */
  get parameters(): readonly MysqlParameter[] | undefined {
    const { statement } = this;
    if (this.name !== 'STMT_EXECUTE' || statement === undefined || !this.whole) return undefined;
    const { bound } = this.#split();
    const types = bound?.typed === true ? bound.types : this.#captured.types;
    if (bound === undefined || (bound.count > 0 && types === undefined)) return undefined;
    const reader = new PacketReader(this.payload, bound.valuesAt);
    const parameters = readParameters(
      reader,
      this.payload,
      bound,
      types ?? new Uint8Array(0),
      this.#captured.sentAhead,
    );
    return reader.failed ? undefined : parameters;
  }

  /** Name and value of query attributes (MySQL 8); empty where there are none. */
  get attributes(): readonly MysqlParameter[] {
    const { bound } = this.#split();
    if (!this.#captured.attributes || bound === undefined) return [];
    return readParameters(new PacketReader(this.payload, bound.valuesAt), this.payload, bound, bound.types, NO_IDS);
  }

  /** All of its packets, without their headers; as captured. Not to be changed. */
  get payload(): Buffer {
    return (this.#payload ??= payloadOf(this.#captured.bytes));
  }

  /** Something differs from what was captured. */
  get changed(): boolean {
    return this.#changes.sql !== undefined || this.#changes.database !== undefined;
  }

  /** The bytes as they will be sent; of a command that streams past, its beginning. */
  serialize(): Uint8Array {
    const { bytes } = this.#captured;
    const { sql, database } = this.#changes;
    if (sql !== undefined)
      return toPackets(Buffer.concat([this.payload.subarray(0, this.#textAt), encode(sql, this.#capturedText)]));
    // A login is built anew where it is sent: this is what is shown.
    if (database === undefined || !WITH_NAME.includes(this.name)) return bytes;
    return toPackets(Buffer.concat([this.payload.subarray(0, 1), Buffer.from(database)]));
  }

  /** Where the parameters of EXECUTE are, and whether a query has attributes: for who writes it anew. */
  get bound(): BoundParameters | undefined {
    return this.#split().bound;
  }

  /** The text of a query without what stands before it, as it will be sent. */
  get textBytes(): Uint8Array {
    const { sql } = this.#changes;
    return sql === undefined ? this.#capturedText : encode(sql, this.#capturedText);
  }

  /** Types of the parameters of its statement, as the client had told them before it. */
  get types(): Uint8Array | undefined {
    return this.#captured.types;
  }

  /** Indices of parameters whose values came ahead, with SEND_LONG_DATA. */
  get sentAhead(): ReadonlySet<number> {
    return this.#captured.sentAhead;
  }

  /** Attributes, or at least their number, stand before the text. */
  get hasAttributes(): boolean {
    return this.#captured.attributes;
  }

  clone(): MysqlCommand {
    const copy = new MysqlCommand(this.connection, this.#captured);
    copy.#changes = this.#changes;
    copy.prepares = this.prepares;
    return copy;
  }

  checkpoint(): Changes {
    return this.#changes;
  }

  revert(to: Changes): void {
    this.#changes = to;
  }

  /** For people: on one line, cut when long, without passwords. */
  toString(): string {
    const words: string[] = [this.name];
    if (this.name === 'LOGIN' || this.name === 'CHANGE_USER')
      words.push(this.login === undefined ? '' : decode(this.login.user));
    if (this.statementId !== undefined) words.push(String(this.statementId === LAST_STATEMENT ? -1 : this.statementId));
    if (this.database !== undefined) words.push(this.database);
    const { parameters, sql } = this;
    if (sql !== undefined) words.push(shorten(withoutSecrets(sql).replace(/\s+/g, ' ').trim(), SHOWN_TEXT));
    if (parameters !== undefined)
      words.push(
        `[${parameters
          .slice(0, SHOWN_PARAMETERS)
          .map(({ value }) => shown(value))
          .join(', ')}]`,
      );
    return words.filter((word) => word !== '').join(' ');
  }

  get #hasText(): boolean {
    return WITH_SQL.includes(this.name);
  }

  get #textAt(): number {
    return this.#split().textAt;
  }

  get #capturedText(): Uint8Array {
    return this.payload.subarray(this.#textAt);
  }

  #split(): { readonly bound: BoundParameters | undefined; readonly textAt: number } {
    return (this.#parts ??= this.#findParts());
  }

  #findParts(): { readonly bound: BoundParameters | undefined; readonly textAt: number } {
    const { attributes, statement } = this.#captured;
    if (attributes) return boundToQuery(this.payload) ?? { bound: undefined, textAt: 1 };
    if (this.name !== 'STMT_EXECUTE' || statement?.parameterCount === undefined) return { bound: undefined, textAt: 1 };
    const bound = boundToExecute(this.payload, statement.parameterCount, this.connection.queryAttributes);
    return { bound, textAt: 1 };
  }
}

function statementIdOf(bytes: Buffer): number | undefined {
  const at = 4 + STATEMENT_ID_AT;
  return bytes.length < at + 4 ? undefined : bytes.readUInt32LE(at);
}

/** UTF-8, or else one character a byte. */
function decode(bytes: Uint8Array): string {
  if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return utf8(bytes) ?? Buffer.from(bytes).toString('latin1');
}

/** Where the text that was captured was read one character a byte, so is the one in its place. */
function encode(text: string, captured: Uint8Array): Buffer {
  return Buffer.from(text, utf8(captured) === undefined ? 'latin1' : 'utf8');
}

function shown(value: MysqlValue): string {
  if (value === undefined) return '(sent ahead)';
  if (value === null) return 'NULL';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return JSON.stringify(shorten(value, SHOWN_VALUE));
  return `(${value.length} bytes)`;
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
