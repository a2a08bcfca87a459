/** For plugins of protocols with a login: who to be on the target, a user of its own for each online, or one for all. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PluginEnv } from '../pipeline/plugin.ts';

const READ_BY_OTHERS = 0o004;

/** The password is not shown by `inspect`, JSON or enumeration. */
export class Credentials {
  readonly user: string;
  readonly #password: Uint8Array;

  /** `password` may be empty; in bytes it need not be text. */
  constructor(user: string, password: string | Uint8Array) {
    this.user = user;
    this.#password = typeof password === 'string' ? Buffer.from(password) : Uint8Array.from(password);
  }

  get password(): Uint8Array {
    return this.#password;
  }
}

const ANY = '*';

export class CredentialMap {
  readonly #byUser: ReadonlyMap<string, Credentials>;

  constructor(byUser: ReadonlyMap<string, Credentials>) {
    this.#byUser = byUser;
  }

  static forAll(credentials: Credentials): CredentialMap {
    return new CredentialMap(new Map([[ANY, credentials]]));
  }

  /**
   * A file with a line for each user online: that user (`*`: every other), the user on the target, the password there, with
   * blanks between. What is empty or has a blank, `"` or `#` at its beginning stands in double quotes, in which a backslash
   * goes before `"` and itself. Empty lines and those that begin with `#` are left out. Throws with the number of a line that
   * is none, and never with what it says.
   */
  static parse(text: string): CredentialMap {
    const byUser = new Map<string, Credentials>();
    for (const [i, line] of text
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/)
      .entries()) {
      if (/^\s*(#|$)/.test(line)) continue;
      const words = wordsOf(line);
      if (words?.length !== 3) throw new Error(`line ${i + 1} is not ONLINE-USER TARGET-USER PASSWORD`);
      const [online, user, password] = words as [string, string, string];
      if (byUser.has(online)) throw new Error(`line ${i + 1}: this user has a line already`);
      byUser.set(online, new Credentials(user, password));
    }
    if (byUser.size === 0) throw new Error('it names no user');
    return new CredentialMap(byUser);
  }

  /**
   * The file that the option `name` names, as `parse` takes it, with a warning where everybody may read it. Throws with the
   * file and the line of it that is wrong.
   */
  static read(name: string, file: string, { directory, log }: Pick<PluginEnv, 'directory' | 'log'>): CredentialMap {
    try {
      const path = resolve(directory, file);
      const credentials = CredentialMap.parse(readFileSync(path, 'utf8'));
      if ((statSync(path).mode & READ_BY_OTHERS) !== 0) {
        log.warn(`${name}=${file}: everybody on this host can read the passwords in it; chmod o-r ${file}`);
      }
      return credentials;
    } catch (error) {
      throw new Error(`${name}=${file}: ${(error as Error).message}`, { cause: error });
    }
  }

  /**
   * For a user online; `undefined`: for connections of which the login was not seen. Returns `undefined` where nothing is
   * known for that one.
   */
  of(user: string | undefined): Credentials | undefined {
    return (user === undefined ? undefined : this.#byUser.get(user)) ?? this.#byUser.get(ANY);
  }
}

/** `undefined`: a quote is not closed, or stands inside a word. */
function wordsOf(line: string): readonly string[] | undefined {
  const words: string[] = [];
  const word = /\s*(?:"((?:[^"\\]|\\["\\])*)"|([^\s"]\S*))(?=\s|$)/y;
  const end = line.trimEnd().length;
  while (word.lastIndex < end) {
    const found = word.exec(line);
    if (found === null) return undefined;
    words.push(found[1]?.replace(/\\(["\\])/g, '$1') ?? found[2]!);
  }
  return words;
}
