/** What the filter goes by: of commands about a prepared statement what was prepared. */
import type { MysqlCommand, SqlEffect } from 'tcpcopy/plugin';

export interface Subject {
  readonly verbs: readonly string[];
  readonly effect: SqlEffect;
  /** All that it touches, the current one among them; `undefined` where that is not known. */
  readonly schemas: readonly (string | undefined)[];
  readonly text: string;
  readonly digest: string;
  /** It is about the connection and its transactions only. */
  readonly ofConnection: boolean;
}

/** `connection`: it is about that only, and has no statement; `undefined`: its statement is not known. */
export function subjectOf(command: MysqlCommand): Subject | 'connection' | undefined {
  const { name, analysis, statement } = command;
  if (name === 'CREATE_DB' || name === 'DROP_DB') {
    const verb = name === 'CREATE_DB' ? 'CREATE DATABASE' : 'DROP DATABASE';
    return { verbs: [verb], effect: 'write', schemas: [command.database], text: '', digest: '', ofConnection: false };
  }
  if (analysis === undefined) return command.statementId === undefined ? 'connection' : undefined;
  const { verbs, effect, schemas, usesCurrentSchema, digest } = analysis;
  // What a statement's names mean is settled when it is prepared.
  const current = statement === undefined ? command.schema : statement.command.schema;
  return {
    verbs,
    effect,
    schemas: usesCurrentSchema ? [...schemas, current] : schemas,
    text: command.sql ?? '',
    digest,
    ofConnection: effect === 'session' || effect === 'transaction',
  };
}
