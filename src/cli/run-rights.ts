/** Whose rights a run has: root's until everything is open, then those of `--user`; processes of plugins never have them. */
import { accessSync, chownSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { RunAs } from '../config/copy-options.ts';
import { TcpcopyError } from '../core/errors.ts';
import { giveWay, type Nice } from '../native/priority.ts';
import { becomeUser, NOBODY, type UserIds } from '../native/privileges.ts';

/** Whom processes of plugins run as; `undefined`: as this process, which is not root. */
export function childUserOf(user: RunAs | undefined): UserIds | undefined {
  if (user !== undefined) return { uid: user.uid, gid: user.gid };
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/** `--nice`. */
export function giveWayAsAsked(nice: Nice): void {
  try {
    giveWay(nice);
  } catch (cause) {
    // Nobody asked for it, or may not know of it: a sandbox may well forbid what only makes others' lives easier.
    if (nice === 'polite') return;
    throw new TcpcopyError('E_PERMISSION', `may not have this priority (${(cause as NodeJS.ErrnoException).code})`, {
      where: `--nice ${nice}`,
      hint: 'only root may ask for more than it was started with; leave it out where whoever starts it has set one',
      cause,
    });
  }
}

export interface RunFiles {
  /** They are there, and belong to the user from now on. */
  readonly open: readonly (string | undefined)[];
  /** To be made at the end, by the user. */
  readonly later: string | undefined;
}

/** Goes on as `--user`. */
export function goOnAs(user: RunAs | undefined, files: RunFiles): void {
  if (user === undefined) return;
  try {
    if (process.getuid?.() === 0) {
      for (const file of files.open) if (file !== undefined) chownSync(file, user.uid, user.gid);
    }
    becomeUser(user);
  } catch (cause) {
    throw new TcpcopyError('E_PERMISSION', `cannot go on as this user (${(cause as NodeJS.ErrnoException).code})`, {
      where: `--user ${user.name}`,
      hint: 'start it as root with CAP_SETUID, CAP_SETGID and CAP_CHOWN, or as the user itself with CAP_NET_RAW',
      cause,
    });
  }
  if (files.later !== undefined) requirePlaceFor(files.later, user);
}

/** Better now than when it is to be written. */
function requirePlaceFor(file: string, user: RunAs): void {
  try {
    accessSync(dirname(file), constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new TcpcopyError('E_FILE', `${user.name} may not write in its directory`, {
      where: `--summary-json ${file}`,
      hint: 'name a directory that the user of --user may write in',
      cause,
    });
  }
}
