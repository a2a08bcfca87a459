/** One response, as plugins see it: what came of a command, without the rows themselves. It may be kept. */
import type { MysqlCommand } from './command.ts';
import type { ErrPacket } from './login/index.ts';

/** What ends the response, or a part of it. */
export type ResponseKind =
  /** Done: OK, or the end of rows. */
  | 'ok'
  | 'error'
  /** LOAD DATA LOCAL: the server asks for a file, which the client's next message brings. */
  | 'file-wanted'
  /** Text that is neither, as STATISTICS gives. */
  | 'text';

export interface ResponseFields {
  readonly kind: ResponseKind;
  readonly command: MysqlCommand | undefined;
  readonly error?: ErrPacket | undefined;
  readonly resultSets?: number;
  readonly rows?: number;
  readonly columns?: number;
  readonly affectedRows?: number;
  readonly insertId?: number;
  readonly warnings?: number;
  readonly serverStatus?: number | undefined;
  readonly statementId?: number | undefined;
  readonly parameterCount?: number;
  readonly length: number;
}

export class MysqlResponse {
  readonly kind: ResponseKind;
  /** What it answers; `undefined`: the server's greeting, or an error that nobody asked for, before it closes. */
  readonly command: MysqlCommand | undefined;
  /** Number, SQL state and text of the error. The text may repeat what the client sent. */
  readonly error: ErrPacket | undefined;
  /** How many results it has with rows: more than one where a query has many statements, or calls a procedure. */
  readonly resultSets: number;
  /** In all results. */
  readonly rows: number;
  /** Of the last result. */
  readonly columns: number;
  readonly affectedRows: number;
  /** Of the last result; 0: none. */
  readonly insertId: number;
  /** Of the last result. */
  readonly warnings: number;
  /** Flags of the server's status at its end; `undefined` where it does not say. */
  readonly serverStatus: number | undefined;
  /** Of STMT_PREPARE: the id it got, and how many parameters the statement has. */
  readonly statementId: number | undefined;
  readonly parameterCount: number;
  /** Bytes on the wire. */
  readonly length: number;

  constructor(fields: ResponseFields) {
    this.kind = fields.kind;
    this.command = fields.command;
    this.error = fields.error;
    this.resultSets = fields.resultSets ?? 0;
    this.rows = fields.rows ?? 0;
    this.columns = fields.columns ?? 0;
    this.affectedRows = fields.affectedRows ?? 0;
    this.insertId = fields.insertId ?? 0;
    this.warnings = fields.warnings ?? 0;
    this.serverStatus = fields.serverStatus;
    this.statementId = fields.statementId;
    this.parameterCount = fields.parameterCount ?? 0;
    this.length = fields.length;
  }

  /** In a word: `ok`, or the error's number, as in `E1064`. */
  get status(): string {
    return this.error === undefined ? 'ok' : `E${this.error.code}`;
  }

  /** For people: on one line. */
  toString(): string {
    const name = this.command?.name ?? 'unasked';
    if (this.error !== undefined) return `${name}: error ${this.error.code}`;
    if (this.resultSets > 0) return `${name}: ${this.rows} rows`;
    return this.kind === 'ok' ? `${name}: ok, ${this.affectedRows} affected` : `${name}: ${this.kind}`;
  }
}
