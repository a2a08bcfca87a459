/** What is known of one online connection: shared by what reads its two halves and what speaks to the target. */
import type { ConnectionInfo } from 'tcpcopy/plugin';
import type { BoundParameters } from './bound.ts';
import type { MysqlCommand } from './command.ts';
import { CLIENT, type Capabilities, type HandshakeResponse } from './login/index.ts';
import type { Compression } from './login/capabilities.ts';
import { SqlAnalyzer, SqlSession } from './sql/index.ts';

/** A statement that the client has prepared. */
export class PreparedStatement {
  /** With which it was prepared. */
  readonly command: MysqlCommand;
  /** The text as the client sent it, whatever plugins made of it; `undefined`: it was too long to be held. */
  readonly sql: string | undefined;
  /** `undefined`: the online server has not answered yet, or has not been heard. */
  parameterCount: number | undefined;
  /** Types of its parameters, as the last EXECUTE that brought some had them: two bytes each. */
  types: Uint8Array | undefined;
  /** Indices of parameters whose values came ahead of the next EXECUTE, with SEND_LONG_DATA. */
  sentAhead: ReadonlySet<number> = new Set();

  constructor(command: MysqlCommand, sql: string | undefined) {
    this.command = command;
    this.sql = sql;
  }

  /** `bound`: what an EXECUTE of it brought. */
  executed(bound: BoundParameters | undefined): void {
    if (bound?.typed === true) this.types = bound.types;
    this.forgetSentAhead();
  }

  /** `payload`: of a SEND_LONG_DATA. */
  sentAheadOf(payload: Buffer): void {
    if (payload.length >= LONG_DATA_HEAD) this.sentAhead = new Set([...this.sentAhead, payload.readUInt16LE(5)]);
  }

  forgetSentAhead(): void {
    if (this.sentAhead.size > 0) this.sentAhead = new Set();
  }
}

const LONG_DATA_HEAD = 7;
/** The most statements that are remembered of one connection: servers have a limit of 16,382 over all. */
const MOST_STATEMENTS = 16_384;
const LAST = 0xffff_ffff;
/** Statements whose answers are waited for: with more of them nothing is told from an id. */
const MOST_UNNAMED = 64;
/** Kinds of statements that are remembered; applications have some hundreds. */
export const KNOWN_DIGESTS = 5_000;
/** Where the plugin's options say nothing else. */
const ANALYZER = new SqlAnalyzer({ capacity: KNOWN_DIGESTS });
/** The longest length that is its own byte. */
const MOST_IN_A_BYTE = 0xfa;

export class MysqlConnection {
  /** The user online; `undefined`: it logged in before copying began. */
  user: string | undefined;
  /** The default database, as the client's last command about it has it; `undefined`: none, or not known. */
  schema: string | undefined;
  /** What the client said it can; `undefined`: not known. */
  capabilities: Capabilities | undefined;
  /** How it logged in, `undefined`: not known. */
  login: HandshakeResponse | undefined;
  /** Id of the collation in the login; `undefined`: not known. */
  charset: number | undefined;
  /** What the online server greeted with; `undefined`: that was not seen. */
  serverCapabilities: Capabilities | undefined;
  /** How what both sides send is compressed, behind the login. */
  compression: Compression = 'none';
  /** What its statements made of it: how the next ones are to be read. */
  session = new SqlSession();
  /** What looks at its statements: one for all connections. */
  analyzer = ANALYZER;
  /** What a schema of the online server is called on the target. */
  nameOnTarget: (schema: string) => string = (schema) => schema;
  /** By the ids of the online server. */
  readonly statements = new Map<number, PreparedStatement>();
  /** The last one that was prepared: MariaDB's id −1. */
  lastStatement: PreparedStatement | undefined;

  /** Those of which the online server's answer is not known: on its way, or lost. */
  #unnamed: PreparedStatement[] = [];
  /** The highest id that the online server has given since copying began. */
  #highest = 0;

  /**
   * Of a statement's id, which may be MariaDB's for the last one. Where the answer to one statement was lost, an id that is
   * nobody else's is its: servers give higher ids to later ones, so it is none from before copying began.
   */
  statement(id: number): PreparedStatement | undefined {
    const known = this.statements.get(id) ?? (id === LAST ? this.lastStatement : undefined);
    const [only, another] = this.#unnamed;
    const later = id > this.#highest && (this.login !== undefined || this.#highest > 0);
    if (known !== undefined || only === undefined || another !== undefined || !later) return known;
    this.#name(id, only);
    this.#highest = id;
    return only;
  }

  /** The client has a statement prepared. */
  preparing(statement: PreparedStatement): void {
    this.lastStatement = statement;
    if (this.#unnamed.length >= MOST_UNNAMED) this.#unnamed.shift();
    this.#unnamed.push(statement);
  }

  /** What both sides can; a client may say that it can more than the server. */
  get agreed(): Capabilities | undefined {
    const { capabilities: client, serverCapabilities: server } = this;
    if (client === undefined || server === undefined) return client;
    return { flags: (client.flags & server.flags) >>> 0, extended: (client.extended & server.extended) >>> 0 };
  }

  /** The client's commands have attributes, if only none (CLIENT_QUERY_ATTRIBUTES), as far as that is known. */
  get queryAttributes(): boolean {
    return ((this.agreed?.flags ?? 0) & CLIENT.QUERY_ATTRIBUTES) !== 0;
  }

  /** Whether a query, with its header, has attributes before its text: their number, and a one for how often. */
  hasAttributes(bytes: Uint8Array): boolean {
    if (this.agreed === undefined) return bytes[5] === 0 && bytes[6] === 1;
    return this.queryAttributes && (bytes[6] === 1 || bytes[5]! > MOST_IN_A_BYTE);
  }

  /** The online server has prepared a statement. */
  prepared(id: number, statement: PreparedStatement, parameterCount: number): void {
    statement.parameterCount = parameterCount;
    this.#name(id, statement);
    this.#highest = Math.max(this.#highest, id);
  }

  /** It has not. */
  notPrepared(statement: PreparedStatement): void {
    this.#unnamed = this.#unnamed.filter((each) => each !== statement);
  }

  #name(id: number, statement: PreparedStatement): void {
    this.notPrepared(statement);
    if (this.statements.size >= MOST_STATEMENTS) this.statements.delete(this.statements.keys().next().value!);
    this.statements.set(id, statement);
  }

  closed(id: number | undefined): void {
    if (id !== undefined) this.statements.delete(id);
  }

  /** Whatever a session has built up is gone. */
  reset(): void {
    this.statements.clear();
    this.#unnamed = [];
    this.lastStatement = undefined;
    this.session = new SqlSession(this.charset);
  }

  /** What is shared by all that is made for one captured connection. */
  static of(info: ConnectionInfo): MysqlConnection {
    let connection = known.get(info);
    if (connection === undefined) known.set(info, (connection = new MysqlConnection()));
    return connection;
  }
}

const known = new WeakMap<ConnectionInfo, MysqlConnection>();
