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

/** How a text may begin that is about a server, what carries out other texts and a comment that is run among them. */
const MAY_ADMINISTER = new RegExp(
  '^(?:kill|shutdown|restart|change|start\\s+(?!transaction)|stop|reset|purge|prepare|execute|/\\*[!M]' +
    '|set\\s[^]*(?:global|persist|prepare|execute))',
  'i',
);
const ADMINISTERS =
  /^(?:KILL|SHUTDOWN|RESTART|CHANGE (?:MASTER|REPLICATION)|(?:START|STOP|RESET) (?:ALL|SLAVES?|REPLICAS?|GROUP_REPLICATION)|RESET (?:MASTER|BINARY)|PURGE (?:BINARY|MASTER)|SET GLOBAL)$/;

/**
 * Why it is kept back: one of its statements is about a server, or other sessions of it, whose numbers differ. What PREPARE
 * and EXECUTE have in a variable, or by a name that is not known, may be.
 */
export function administration(command: MysqlCommand): 'administration' | 'may be administration' | undefined {
  const text = withoutComment(command.sql ?? '');
  // Others need not be looked at, which costs far more than this does.
  if (!MAY_ADMINISTER.test(text) && !/;\s*\S/.test(text)) return undefined;
  const { analysis } = command;
  if (analysis === undefined) return undefined;
  const { verbs, preparedVerbs } = analysis;
  if ([...verbs, ...(preparedVerbs ?? [])].some((verb) => ADMINISTERS.test(verb))) return 'administration';
  return preparedVerbs === undefined ? 'may be administration' : undefined;
}
