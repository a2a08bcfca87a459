/** Logging in to the target: AUTH, and HELLO with one in it. */
import { Credentials, type CredentialMap } from 'tcpcopy/plugin';
import type { RedisCommand } from './command.ts';

/** Whoever AUTH names no user for; the user of a target that has none. */
export const DEFAULT_USER = 'default';

/** Puts the target's credentials into AUTH and HELLO. */
export function replaceLogin(command: RedisCommand, credentials: CredentialMap): void {
  if (command.name === 'AUTH' && (command.length === 2 || command.length === 3)) {
    const target = credentials.of(command.length === 3 ? command.text(1) : DEFAULT_USER);
    if (target !== undefined) command.replace(['AUTH', ...loginArguments(target)]);
  } else if (command.name === 'HELLO') {
    const at = authPosition(command);
    const target = at < 0 ? undefined : credentials.of(command.text(at + 1));
    if (target === undefined) return;
    const args = [...command.args];
    args.splice(at + 1, 2, Buffer.from(target.user), target.password);
    command.replace(args);
  }
}

/** What stands behind AUTH: without a user for servers before Redis 6, which know none. */
export function loginArguments({ user, password }: Credentials): readonly (string | Uint8Array)[] {
  return user === DEFAULT_USER ? [password] : [user, password];
}

/** Of the user and the password, or the password alone, that stand at `at`. */
export function loginOf(command: RedisCommand, at: number, words: number): Credentials {
  const user = words === 2 ? command.text(at)! : DEFAULT_USER;
  return new Credentials(user, command.args[at + words - 1] ?? '');
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
