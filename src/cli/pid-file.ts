/**
 * The pid file: made with O_EXCL, so that of two instances starting at once one is refused. A file left behind by a
 * process that is gone, or whose number now belongs to another program, is taken over.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { TcpcopyError } from '../core/errors.ts';

export interface PidFile {
  /** The number found in a stale file, when there was one. */
  readonly replaced: number | undefined;
  /** Removes the file if it is still ours. */
  release(): void;
}

/** `name` is what the command line of a running instance contains. */
export function acquirePidFile(path: string, name: string, pid: number = process.pid): PidFile {
  let replaced: number | undefined;
  if (!createExclusively(path, pid)) {
    const other = readPid(path);
    if (other !== undefined && other !== pid && isRunning(other, name)) {
      throw new TcpcopyError('E_ALREADY_RUNNING', `is held by process ${other}, which is running`, {
        where: `-P ${path}`,
        hint: `stop it with 'kill ${other}', or name another pid file`,
      });
    }
    replaced = other;
    rmSync(path, { force: true });
    if (!createExclusively(path, pid)) {
      throw new TcpcopyError('E_ALREADY_RUNNING', 'was taken by another instance just now', { where: `-P ${path}` });
    }
  }
  return {
    replaced,
    release() {
      if (readPid(path) !== pid) return;
      try {
        rmSync(path, { force: true });
      } catch {
        // The directory is root's, and this is another user by now: the next start takes the file over.
      }
    },
  };
}

/** Whether a process of that number exists and, where /proc can tell, is this program. */
export function isRunning(pid: number, name: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists and is someone else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(name);
  } catch {
    return true;
  }
}

function createExclusively(path: string, pid: number): boolean {
  try {
    writeFileSync(path, `${pid}\n`, { flag: 'wx', mode: 0o644 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new TcpcopyError('E_FILE', `cannot be written (${code})`, {
      where: `-P ${path}`,
      hint: 'name a file that can be written',
      cause: error,
    });
  }
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
