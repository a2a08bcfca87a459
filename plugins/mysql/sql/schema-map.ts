/**
 * Gives schemas other names in a statement's text: those of tables, routines and columns, and those that stand alone. What
 * is in strings and comments stays, and so does every other character. A text that PREPARE is given in a literal is
 * changed in there.
 */
import type { SqlMode } from './mode.ts';
import { findNames } from './names.ts';
import { QUOTED, STRING } from './scanner.ts';
import { splitStatements } from './statements.ts';
import { SqlTokens } from './tokens.ts';
import { isReserved, keywordOf } from './words.ts';

/** Another name for a schema; `undefined`: it keeps its own. */
export type SchemaMap = (schema: string) => string | undefined;

/** The same string where nothing was to be changed. */
export function mapSchemas(text: string, mode: SqlMode, map: SchemaMap): string {
  const tokens = new SqlTokens(text, mode);
  const changes = new Map<number, string>();
  for (const [from, to] of splitStatements(tokens)) {
    findNames(tokens, from, to, (role, schemaAt, nameAt) => {
      const at = role === 'schema' ? nameAt : schemaAt;
      if (at < 0 || tokens.isUnclosed(at)) return;
      const name = map(tokens.name(at));
      if (name !== undefined && name !== tokens.name(at)) changes.set(at, quotedLike(tokens, at, name));
    });
    const literal = preparedAt(tokens, from);
    if (literal < 0) continue;
    const before = tokens.string(literal);
    const after = mapSchemas(before, mode, map);
    if (after !== before) changes.set(literal, asLiteral(after, mode));
  }
  if (changes.size === 0) return text;
  let result = '';
  let at = 0;
  for (const [token, source] of [...changes].toSorted(([a], [b]) => a - b)) {
    result += text.slice(at, tokens.starts[token]) + source;
    at = tokens.ends[token]!;
  }
  return result + text.slice(at);
}

/** The literal of PREPARE name FROM '…', EXECUTE IMMEDIATE '…'; -1: there is none. */
function preparedAt(tokens: SqlTokens, from: number): number {
  const at =
    tokens.word(from) === 'PREPARE' && tokens.word(from + 2) === 'FROM'
      ? from + 3
      : tokens.word(from) === 'EXECUTE' && tokens.word(from + 1) === 'IMMEDIATE'
        ? from + 2
        : -1;
  return at >= 0 && tokens.kind(at) === STRING ? at : -1;
}

/** In the quotes that it had; in backticks where it needs some. */
function quotedLike(tokens: SqlTokens, at: number, name: string): string {
  const quote = tokens.kind(at) === QUOTED ? tokens.source(at)[0]! : '`';
  const bare = tokens.kind(at) !== QUOTED && /^[A-Za-z_$][\w$]*$/.test(name) && !isReserved(keywordOf(name));
  return bare ? name : `${quote}${name.replaceAll(quote, quote + quote)}${quote}`;
}

function asLiteral(text: string, mode: SqlMode): string {
  const escaped = mode.noBackslashEscapes ? text : text.replaceAll('\\', '\\\\');
  return `'${escaped.replaceAll("'", "''")}'`;
}
