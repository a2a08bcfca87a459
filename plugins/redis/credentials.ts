/** Who to be on the target: a user of its own for each online, or one for all. */
import type { RedisCommand } from './command.ts';

export interface Credentials {
  /** `default` where the target has no users. */
  readonly user: string;
  readonly password: string;
}

/** Whoever AUTH names no user for. */
const DEFAULT_USER = 'default';
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
   * A file with a line for each user online: that user (`*`: every other), the user on the target, the password there.
   * Empty lines and those that begin with `#` are left out. Throws with the number of a line that is none, and never
   * with what it says.
   */
  static parse(text: string): CredentialMap {
    const byUser = new Map<string, Credentials>();
    for (const [i, line] of text.split(/\r?\n/).entries()) {
      if (/^\s*(#|$)/.test(line)) continue;
      const [online, user, password, ...more] = line.trim().split(/\s+/);
      if (password === undefined || more.length > 0) {
        throw new Error(`line ${i + 1} is not ONLINE-USER TARGET-USER PASSWORD`);
      }
      if (byUser.has(online!)) throw new Error(`line ${i + 1}: this user has a line already`);
      byUser.set(online!, { user: user!, password });
    }
    if (byUser.size === 0) throw new Error('it names no user');
    return new CredentialMap(byUser);
  }

  /** Of a user online; of whoever did not say, where none is given. `undefined`: nothing is known for that one. */
  of(user: string = DEFAULT_USER): Credentials | undefined {
    return this.#byUser.get(user) ?? this.#byUser.get(ANY);
  }

  /** Puts the target's credentials into AUTH and HELLO. */
  apply(command: RedisCommand): void {
    if (command.name === 'AUTH' && (command.length === 2 || command.length === 3)) {
      const target = this.of(command.length === 3 ? command.text(1) : undefined);
      if (target !== undefined) command.replace(['AUTH', ...loginArguments(target)]);
    } else if (command.name === 'HELLO') {
      const at = authPosition(command);
      const target = at < 0 ? undefined : this.of(command.text(at + 1));
      if (target === undefined) return;
      const args = [...command.args];
      args.splice(at + 1, 2, Buffer.from(target.user), Buffer.from(target.password));
      command.replace(args);
    }
  }
}

/** What stands behind AUTH: without a user for servers before Redis 6, which know none. */
export function loginArguments({ user, password }: Credentials): readonly string[] {
  return user === DEFAULT_USER ? [password] : [user, password];
}

/** Where AUTH stands in a HELLO that has a user and a password behind it; -1: nowhere. */
export function authPosition(command: RedisCommand): number {
  for (let i = 2; i + 2 < command.length; i++) {
    const word = command.text(i)!.toUpperCase();
    if (word === 'AUTH') return i;
    if (word === 'SETNAME') i++;
  }
  return -1;
}
