/** What a command does to the service. */
import type { Effect } from 'tcpcopy/plugin';
import type { MysqlCommand } from './command.ts';
import { ADMINISTRATION, type MysqlCommandName } from './command-names.ts';

/** They carry out a text, or bring values for it. */
const BY_TEXT: readonly MysqlCommandName[] = [
  ...(['QUERY', 'STMT_EXECUTE', 'STMT_BULK_EXECUTE', 'STMT_SEND_LONG_DATA'] as const),
];
/**
 * They are about the connection, or ask. Preparing a statement that writes writes nothing, and what closes it has to find
 * it, so those go on where writes are kept back.
 */
const HARMLESS: readonly MysqlCommandName[] = [
  ...(['LOGIN', 'TLS', 'CHANGE_USER', 'RESET_CONNECTION', 'QUIT', 'INIT_DB', 'SET_OPTION', 'PING'] as const),
  ...(['STATISTICS', 'PROCESS_INFO', 'FIELD_LIST', 'TIME'] as const),
  ...(['STMT_PREPARE', 'STMT_FETCH', 'STMT_RESET', 'STMT_CLOSE'] as const),
];
const WRITING: readonly MysqlCommandName[] = ['CREATE_DB', 'DROP_DB', 'LOCAL_DATA', ...ADMINISTRATION];

export function effectOf(command: MysqlCommand): Effect {
  const { name } = command;
  if (HARMLESS.includes(name)) return 'read';
  if (WRITING.includes(name)) return 'write';
  const effect = BY_TEXT.includes(name) ? command.analysis?.effect : undefined;
  if (effect === undefined || effect === 'unknown') return 'unknown';
  return effect === 'write' || effect === 'admin' ? 'write' : 'read';
}
