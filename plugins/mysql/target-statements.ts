/** Prepared statements in one session to the target: its ids in place of those the online server gave. */
import type { Preparation } from 'tcpcopy/plugin';
import type { MysqlCommand } from './command.ts';
import type { PreparedStatement } from './connection.ts';
import { rewriteExecute, withId } from './execute-writer.ts';
import type { MysqlResponse } from './response.ts';

/** No statement has it. */
const NO_STATEMENT = 0;

/** A statement in this session. */
interface TargetStatement {
  /** `undefined`: the target has not answered yet; or it has, with an error. */
  id: number | undefined;
  failed: boolean;
  parameterCount: number;
  typed: boolean;
  /** Parameters have come ahead of the next EXECUTE. */
  sentAhead: boolean;
  executed: boolean;
}

/** What a command about a statement comes to: also that the statement has to be prepared here first. */
export type StatementPreparation = Preparation | { readonly lacks: PreparedStatement };

export class TargetStatements {
  readonly #takesAttributes: boolean;
  readonly #statements = new Map<PreparedStatement, TargetStatement>();

  constructor(takesAttributes: boolean) {
    this.#takesAttributes = takesAttributes;
  }

  /** A STMT_PREPARE goes to the target. */
  asked(statement: PreparedStatement): void {
    const fresh = { id: undefined, failed: false, parameterCount: 0, typed: false, sentAhead: false, executed: false };
    this.#statements.set(statement, fresh);
  }

  /** It was answered. */
  answered(statement: PreparedStatement, response: MysqlResponse): void {
    const known = this.#statements.get(statement);
    if (known === undefined) return;
    known.id = response.statementId;
    known.failed = response.statementId === undefined;
    known.parameterCount = response.parameterCount;
    // Where the online server's answer was lost.
    if (!known.failed) statement.parameterCount ??= response.parameterCount;
  }

  /** All of them are gone. */
  clear(): void {
    this.#statements.clear();
  }

  /** `bytes`: its first piece. */
  prepare(command: MysqlCommand, bytes: Uint8Array): StatementPreparation {
    const { statement, name } = command;
    const known = statement === undefined ? undefined : this.#statements.get(statement);
    // What is not there is closed already: servers say nothing to that.
    if (name === 'STMT_CLOSE' && known?.id === undefined && known?.failed !== false) {
      return { bytes: withId(bytes, NO_STATEMENT), instead: 'first-piece' };
    }
    if (statement === undefined) return { refuse: 'its statement is not known' };
    if (known === undefined) {
      return name === 'STMT_RESET' ? { refuse: 'its statement ended with the session' } : { lacks: statement };
    }
    if (known.failed) return { refuse: 'the target did not prepare its statement' };
    const { id } = known;
    if (id === undefined) return 'wait';
    if (name === 'STMT_FETCH' && !known.executed) return { refuse: 'its cursor ended with the session' };
    if (name !== 'STMT_EXECUTE') return { bytes: withId(bytes, id), instead: 'first-piece' };
    if (command.sentAhead.size > 0 && !known.sentAhead) return { refuse: 'what was sent ahead went with the session' };
    const target = { ...known, id, takesAttributes: this.#takesAttributes };
    const written = rewriteExecute(command, target, command.types);
    if (typeof written === 'string') return { refuse: written };
    return written === undefined
      ? { bytes: withId(bytes, id), instead: 'first-piece' }
      : { bytes: written, instead: 'whole' };
  }

  /** A command about a statement has gone. */
  sent(command: MysqlCommand): void {
    const { statement, name } = command;
    const known = statement === undefined ? undefined : this.#statements.get(statement);
    if (known === undefined) return;
    if (name === 'STMT_CLOSE') this.#statements.delete(statement!);
    else if (name === 'STMT_SEND_LONG_DATA') known.sentAhead = true;
    else if (name === 'STMT_RESET') known.sentAhead = false;
    else if (name === 'STMT_EXECUTE') {
      known.executed = known.typed = true;
      known.sentAhead = false;
    }
  }
}
