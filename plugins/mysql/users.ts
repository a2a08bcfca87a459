/** Who to be on the target, as the options say. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PluginEnv } from 'tcpcopy/plugin';
import { CredentialMap, Credentials } from './login/index.ts';
import type { MysqlOptions } from './options.ts';

const READ_BY_OTHERS = 0o004;

/** `undefined`: nothing is said. Throws with the file and the line of it that is wrong, and never with what it says. */
export function readCredentials(
  { users, user, password }: MysqlOptions,
  { directory, log }: Pick<PluginEnv, 'directory' | 'log'>,
): CredentialMap | undefined {
  if (user !== undefined) return CredentialMap.forAll(new Credentials(user, password ?? ''));
  if (users === undefined) return undefined;
  try {
    const path = resolve(directory, users);
    const credentials = CredentialMap.parse(readFileSync(path, 'utf8'));
    if ((statSync(path).mode & READ_BY_OTHERS) !== 0) {
      log.warn(`users=${users}: everybody on this host can read the passwords in it; chmod o-r ${users}`);
    }
    return credentials;
  } catch (error) {
    throw new Error(`users=${users}: ${(error as Error).message}`, { cause: error });
  }
}
