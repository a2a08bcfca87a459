/** MySQL and MariaDB for tcpcopy: both halves of the codec, and the messages that plugins see. */
export { MysqlCommand } from './command.ts';
export { MysqlCommandCodec, type MysqlPiece } from './command-codec.ts';
export type { CommandName, MysqlCommandName } from './command-names.ts';
export { MysqlConnection, PreparedStatement } from './connection.ts';
export { detect, type Detection } from './detect.ts';
export { MysqlDialogue, type DialogueSettings } from './dialogue.ts';
export type { MysqlParameter, MysqlValue } from './parameters.ts';
export { mysql as default } from './plugin.ts';
export { MysqlReading } from './reading.ts';
export { MysqlResponseReader } from './response-reader.ts';
export { MysqlResponse, type ResponseKind } from './response.ts';
export { mysqlSettings, MysqlStats, type MysqlSettings } from './settings.ts';
export type { SqlAnalysis, SqlEffect, TableName } from './sql/index.ts';
