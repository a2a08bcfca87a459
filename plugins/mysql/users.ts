/** Who to be on the target, as the options say. */
import { CredentialMap, Credentials, type PluginEnv } from 'tcpcopy/plugin';
import type { MysqlOptions } from './options.ts';

/** `undefined`: nothing is said. Throws with the file and the line of it that is wrong, and never with what it says. */
export function readCredentials(
  { users, user, password }: MysqlOptions,
  env: Pick<PluginEnv, 'directory' | 'log'>,
): CredentialMap | undefined {
  if (user !== undefined) return CredentialMap.forAll(new Credentials(user, password ?? ''));
  return users === undefined ? undefined : CredentialMap.read('users', users, env);
}
