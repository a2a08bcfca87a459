/** The commands of the protocol (MySQL internals, "Command Phase"; MariaDB's from 0xfa on). */

/** By code. Codes that are missing are nobody's. */
export const COMMANDS: Readonly<Record<number, CommandName>> = {
  0x00: 'SLEEP',
  0x01: 'QUIT',
  0x02: 'INIT_DB',
  0x03: 'QUERY',
  0x04: 'FIELD_LIST',
  0x05: 'CREATE_DB',
  0x06: 'DROP_DB',
  0x07: 'REFRESH',
  0x08: 'SHUTDOWN',
  0x09: 'STATISTICS',
  0x0a: 'PROCESS_INFO',
  0x0b: 'CONNECT',
  0x0c: 'PROCESS_KILL',
  0x0d: 'DEBUG',
  0x0e: 'PING',
  0x0f: 'TIME',
  0x10: 'DELAYED_INSERT',
  0x11: 'CHANGE_USER',
  0x12: 'BINLOG_DUMP',
  0x13: 'TABLE_DUMP',
  0x14: 'CONNECT_OUT',
  0x15: 'REGISTER_SLAVE',
  0x16: 'STMT_PREPARE',
  0x17: 'STMT_EXECUTE',
  0x18: 'STMT_SEND_LONG_DATA',
  0x19: 'STMT_CLOSE',
  0x1a: 'STMT_RESET',
  0x1b: 'SET_OPTION',
  0x1c: 'STMT_FETCH',
  0x1d: 'DAEMON',
  0x1e: 'BINLOG_DUMP_GTID',
  0x1f: 'RESET_CONNECTION',
  0x20: 'CLONE',
  0xfa: 'STMT_BULK_EXECUTE',
};

export type CommandName =
  | 'SLEEP'
  | 'QUIT'
  | 'INIT_DB'
  | 'QUERY'
  | 'FIELD_LIST'
  | 'CREATE_DB'
  | 'DROP_DB'
  | 'REFRESH'
  | 'SHUTDOWN'
  | 'STATISTICS'
  | 'PROCESS_INFO'
  | 'CONNECT'
  | 'PROCESS_KILL'
  | 'DEBUG'
  | 'PING'
  | 'TIME'
  | 'DELAYED_INSERT'
  | 'CHANGE_USER'
  | 'BINLOG_DUMP'
  | 'TABLE_DUMP'
  | 'CONNECT_OUT'
  | 'REGISTER_SLAVE'
  | 'STMT_PREPARE'
  | 'STMT_EXECUTE'
  | 'STMT_SEND_LONG_DATA'
  | 'STMT_CLOSE'
  | 'STMT_RESET'
  | 'SET_OPTION'
  | 'STMT_FETCH'
  | 'DAEMON'
  | 'BINLOG_DUMP_GTID'
  | 'RESET_CONNECTION'
  | 'CLONE'
  | 'STMT_BULK_EXECUTE';

/** What clients send besides commands: their login, the request for TLS, and the files that LOAD DATA LOCAL asks for. */
export type MysqlCommandName = CommandName | 'LOGIN' | 'TLS' | 'LOCAL_DATA';

/** A replica's, which are followed by the server's log without end. */
export const REPLICATION: readonly MysqlCommandName[] = [
  'BINLOG_DUMP',
  'BINLOG_DUMP_GTID',
  'TABLE_DUMP',
  'REGISTER_SLAVE',
  'CONNECT_OUT',
];

/** Those that run the server. */
export const ADMINISTRATION: readonly MysqlCommandName[] = ['REFRESH', 'SHUTDOWN', 'PROCESS_KILL', 'DEBUG', 'CLONE'];

/** Those that the server says nothing to. */
export const UNANSWERED: readonly MysqlCommandName[] = ['QUIT', 'STMT_CLOSE', 'STMT_SEND_LONG_DATA'];

/** Those whose payload names a prepared statement behind the code. */
export const ABOUT_STATEMENT: readonly MysqlCommandName[] = [
  ...(['STMT_EXECUTE', 'STMT_SEND_LONG_DATA', 'STMT_CLOSE', 'STMT_RESET', 'STMT_FETCH', 'STMT_BULK_EXECUTE'] as const),
];
