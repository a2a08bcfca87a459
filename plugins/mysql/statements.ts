/** What is asked of statements mostly by their first words; what they do and name is read in `sql/`. */
import type { MysqlCommand } from './command.ts';

const COMMENT = /^(?:\s+|\/\*(?![!M])[^]*?\*\/|(?:--\s|#)[^\n]*\n?)+/;
const SET = /^set\s/i;

/** A text without the comments and blanks before it. */
function withoutComment(sql: string): string {
  return sql.replace(COMMENT, '');
}

/** Whether it asks for a file of the client's. Of many statements in one text every one is looked at. */
export function loadsLocalFile(sql: string): boolean {
  return /\blocal\b/i.test(sql) && /\bload\s+(?:data|xml)\s+(?:(?:low_priority|concurrent)\s+)?local\b/i.test(sql);
}

/** What a `SET` is about, which a later one about the same replaces; `undefined`: it says nothing of the session. */
export function settingOf(sql: string): string | undefined {
  const text = withoutComment(sql);
  if (!SET.test(text) || /;\s*\S/.test(text)) return undefined;
  const what = text.slice('set'.length).trim();
  if (/^(?:global\b|persist|@@\s*(?:global|persist)|password\b|statement\b|default\s+role\b|transaction\b)/i.test(what))
    return undefined;
  const named = /^(names|charset|character\s+set|role)\b/i.exec(what)?.[1] ?? what.slice(0, whereValue(what));
  return named.replace(/\s+/g, ' ').trim().toLowerCase();
}

function whereValue(what: string): number {
  const at = what.search(/:?=/);
  return at < 0 ? what.length : at;
}

/** Whether a transaction begins with it, so that what came before does not matter. */
export function beginsTransaction(sql: string): boolean {
  return /^(?:begin\b(?!\s+not\b)|start\s+transaction\b)/i.test(withoutComment(sql));
}

/** Whether a transaction ends with it. */
export function endsTransaction(sql: string): boolean {
  return /(?:^|;)\s*(?:commit\b|rollback\b(?!\s+(?:work\s+)?to\b))/i.test(withoutComment(sql));
}

/** How a text may begin that is about a server, a comment that is run among them. */
const MAY_ADMINISTER =
  /^(?:kill|shutdown|restart|change|start\s+(?!transaction)|stop|reset|purge|\/\*[!M]|set\s[^]*(?:global|persist))/i;
const ADMINISTERS =
  /^(?:KILL|SHUTDOWN|RESTART|CHANGE (?:MASTER|REPLICATION)|(?:START|STOP|RESET) (?:ALL|SLAVES?|REPLICAS?|GROUP_REPLICATION)|RESET (?:MASTER|BINARY)|PURGE (?:BINARY|MASTER)|SET GLOBAL)$/;

/** Whether one of its statements is about a server, or other sessions of it: numbers of those differ. */
export function administers(command: MysqlCommand): boolean {
  const text = withoutComment(command.sql ?? '');
  // Others need not be looked at, which costs far more than this does.
  if (!MAY_ADMINISTER.test(text) && !/;\s*\S/.test(text)) return false;
  return command.analysis?.verbs.some((verb) => ADMINISTERS.test(verb)) ?? false;
}
