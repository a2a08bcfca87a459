/** The program of a command line: its words, as a shell would split them, and where it is. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/**
 * Words are separated by blanks. Single quotes keep everything, double quotes all but `\"` and `\\`; elsewhere a backslash
 * keeps the next character. Nothing else is special: there is no shell. `undefined`: a quote is not closed.
 */
export function splitCommand(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'" || character === '"') {
      const quoted = readQuoted(text, at);
      if (quoted === undefined) return undefined;
      word = (word ?? '') + quoted.text;
      at = quoted.end;
    } else {
      if (character === '\\' && at + 1 < text.length) at++;
      word = (word ?? '') + text[at]!;
    }
  }
  return word === undefined ? words : [...words, word];
}

/** The text between the quote at `start` and the one that closes it, which is at `end`. */
function readQuoted(text: string, start: number): { readonly text: string; readonly end: number } | undefined {
  const quote = text[start];
  let quoted = '';
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === quote) return { text: quoted, end: at };
    const escapes = quote === '"' && text[at] === '\\' && (text[at + 1] === '"' || text[at + 1] === '\\');
    if (escapes) at++;
    quoted += text[at]!;
  }
  return undefined;
}

/** The path of a program named so; throws when it cannot be run. `directory`: what a path is relative to. */
export function findProgram(name: string, directory: string, searchPath: string): string {
  if (name.includes('/')) {
    const path = resolve(directory, name);
    const problem = problemWith(path);
    if (problem !== undefined) throw new Error(`${path} ${problem}`);
    return path;
  }
  for (const folder of searchPath.split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && problemWith(path) === undefined) return path;
  }
  throw new Error(`there is no program ${name} in PATH; a file here is ./${name}`);
}

function problemWith(path: string): string | undefined {
  try {
    if (!statSync(path).isFile()) return 'is no file';
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES'
      ? 'cannot be executed: chmod +x it, or name its interpreter first'
      : 'does not exist';
  }
}
