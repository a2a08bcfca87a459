/** Redis and MySQL commands as lines, with what was answered. */
import {
  formatEndpoint,
  type Duration,
  type Endpoint,
  type MysqlCommand,
  type MysqlResponse,
  type RedisCommand,
  type RedisReply,
} from 'tcpcopy/plugin';
import { bytes, took, visible } from './line.ts';

/** How many keys of a command a line has. */
const SHOWN_KEYS = 4;

/** Client, database, name, keys, and bytes. `whole`: with its values. */
export function redisFields(command: RedisCommand, client: Endpoint, whole: boolean): string {
  const { keys, name } = command;
  const shown = [name, ...keys.slice(0, SHOWN_KEYS), ...(keys.length > SHOWN_KEYS ? ['…'] : [])];
  const what = visible(whole ? command.toString() : shown.join(' '));
  const length = command.whole ? command.serialize().length : undefined;
  return `${formatEndpoint(client)} redis/${command.database ?? '-'} ${what} ${bytes(length)}`;
}

/** `ok` or the error's code, bytes, and how long it took. */
export function redisReplyFields(reply: RedisReply | undefined, time: Duration | undefined): string {
  const status = reply === undefined ? '-' : (reply.error?.code ?? 'ok');
  return `${status} ${bytes(reply?.length)} ${took(time)}`;
}

/** Client, user and schema, name, the statement without its literals, and its digest. `whole`: with its values. */
export function mysqlFields(command: MysqlCommand, client: Endpoint, whole: boolean): string {
  const { name, analysis, user, schema, database } = command;
  const shown = whole ? command.toString() : [name, database, analysis?.digestText].filter(Boolean).join(' ');
  const session = visible(`${user ?? '-'}@${schema ?? '-'}`);
  return `${formatEndpoint(client)} mysql/${session} ${visible(shown)} ${analysis?.digest ?? '-'}`;
}

/** `ok` or the error's number, rows or rows affected, and how long it took. */
export function mysqlResponseFields(response: MysqlResponse | undefined, time: Duration | undefined): string {
  if (response === undefined) return `- - ${took(time)}`;
  const status = response.error === undefined ? 'ok' : String(response.error.code);
  const count = response.resultSets > 0 ? `${response.rows}rows` : `${response.affectedRows}affected`;
  return `${status} ${count} ${took(time)}`;
}
