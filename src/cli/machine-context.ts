/** The file system as option checking sees it. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import type { RunAs } from '../config/copy-options.ts';
import type { OptionsContext } from '../config/options-context.ts';
import { TcpcopyError } from '../core/errors.ts';
import { whyNotCaCertificates, whyNotPrivateKey, whyNotServerCertificate } from './pem-files.ts';

/** `name` is the program's. */
export function machineContext(name: string): OptionsContext {
  return {
    fileKind,
    whyNotWritable,
    readText,
    whyNotCaCertificates,
    whyNotServerCertificate,
    whyNotPrivateKey,
    userNamed,
    currentUser: process.getuid?.(),
    processors: availableParallelism(),
    defaultLogFile: defaultLogFile(name),
  };
}

/** `/var/log/<name>.log` for root, else a file of that name in the working directory. */
export function defaultLogFile(name: string): string {
  return process.getuid?.() === 0 ? `/var/log/${name}.log` : `${name}.log`;
}

/** FIFOs and character devices (`/dev/stdin`) can be read like files. */
function fileKind(path: string): 'file' | 'directory' | 'missing' | 'denied' {
  try {
    if (statSync(path).isDirectory()) return 'directory';
    accessSync(path, constants.R_OK);
    return 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EACCES' || code === 'EPERM' ? 'denied' : 'missing';
  }
}

function whyNotWritable(path: string): string | undefined {
  return errnoOf(() => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    accessSync(stat ? path : dirname(path), stat ? constants.W_OK : constants.W_OK | constants.X_OK);
  });
}

function readText(path: string, where: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const missing = code === 'ENOENT';
    throw new TcpcopyError('E_FILE', missing ? 'there is no such file' : `cannot be read (${code})`, {
      where,
      hint: missing ? 'check the path' : 'check the path and its permissions',
    });
  }
}

/** `id` asks whatever the machine has its users from. */
function userNamed(name: string): RunAs | undefined {
  if (name.startsWith('-')) return undefined;
  const [uid, gid] = ['-u', '-g'].map((which) => {
    const { status, stdout } = spawnSync('id', [which, name], { encoding: 'utf8' });
    return status === 0 && /^\d+\n$/.test(stdout) ? Number(stdout) : undefined;
  });
  return uid === undefined || gid === undefined ? undefined : { name, uid, gid };
}

function errnoOf(attempt: () => void): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EIO';
  }
}
