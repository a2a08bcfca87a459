/** The little that is read of SQL here: statements that change what a session is like, at the beginning of a text. */

const COMMENT = /^(?:\s+|\/\*(?![!M])[^]*?\*\/|(?:--\s|#)[^\n]*\n?)+/;
const NAME = String.raw`(?:\x60((?:[^\x60]|\x60\x60)+)\x60|([^\s;\x60'"(]+))`;
const USE = new RegExp(String.raw`^use\s*${NAME}\s*;?\s*$`, 'i');
const SET = /^set\s/i;

/** A text without the comments and blanks before it. */
export function withoutComment(sql: string): string {
  return sql.replace(COMMENT, '');
}

/** The database that `USE` names; `undefined`: it is another statement. */
export function databaseOfUse(sql: string): string | undefined {
  if (!/use/i.test(sql.slice(0, 400))) return undefined;
  const found = USE.exec(withoutComment(sql));
  return found?.[1]?.replaceAll('``', '`') ?? found?.[2];
}

/** Whether it is a `SET`. */
export function isSet(sql: string): boolean {
  return SET.test(withoutComment(sql));
}

/** Whether it asks for a file of the client's. Of many statements in one text every one is looked at. */
export function loadsLocalFile(sql: string): boolean {
  return /\blocal\b/i.test(sql) && /\bload\s+(?:data|xml)\s+(?:(?:low_priority|concurrent)\s+)?local\b/i.test(sql);
}
