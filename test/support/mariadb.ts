/** A real MariaDB server (Debian's) for tests: its data made once for each test file, its command line. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Small, and nothing of the machine's own configuration. Names of clients are not looked up. */
const AS_ROOT = process.getuid?.() === 0 ? ['--user=root'] : [];
const COMMON = [
  '--no-defaults',
  ...AS_ROOT,
  '--innodb-log-file-size=4M',
  '--innodb-data-file-path=ibdata1:4M:autoextend',
];

/** The command-line client as root: rows only, tab-separated, in UTF-8. */
const CLIENT = ['--no-defaults', '-uroot', '-N', '-B', '--default-character-set=utf8mb4'];

/** Why there are no servers here; `undefined` when there are. */
export function mariaDbObstacle(): string | undefined {
  const programs = ['mariadbd', 'mariadb', 'mariadb-install-db', 'mysqlslap'];
  const missing = programs.filter((name) => !['/usr/bin', '/usr/sbin'].some((path) => existsSync(join(path, name))));
  return missing.length === 0 ? undefined : `missing programs: ${missing.join(', ')} (script/setup installs them)`;
}

/**
 * Makes data of a server in `directory`, which is made; from `template` in a quarter of the time, where that was made before.
 * `root` logs in without a password.
 */
export function makeMariaDbData(directory: string, template?: string): string {
  if (template !== undefined) {
    cpSync(template, directory, { recursive: true });
    return directory;
  }
  mkdirSync(directory, { recursive: true });
  const own = [`--datadir=${directory}`, temporary(directory)];
  const normal = ['--auth-root-authentication-method=normal', '--skip-test-db'];
  execFileSync('mariadb-install-db', [...COMMON, ...own, ...normal], { stdio: 'pipe' });
  return directory;
}

/** A server that starts removes what it takes for its own remains, also where another has just put that: each has its folder. */
function temporary(directory: string): string {
  const path = join(directory, '..', `${basename(directory)}.tmp`);
  mkdirSync(path, { recursive: true });
  return `--tmpdir=${path}`;
}

export interface MariaDbFiles {
  readonly socket: string;
  /** Every statement, with the number of its connection. */
  readonly generalLog: string;
}

export function mariaDbFiles(directory: string): MariaDbFiles {
  return { socket: join(directory, 'socket'), generalLog: join(directory, 'general.log') };
}

/** The command line of a server on the data in `directory`, which listens on all addresses. */
export function mariaDbCommand(directory: string, port: number, more: readonly string[] = []): readonly string[] {
  const { socket, generalLog } = mariaDbFiles(directory);
  return [
    ...['mariadbd', ...COMMON, `--datadir=${directory}`, `--port=${port}`, '--bind-address=*', `--socket=${socket}`],
    ...[`--pid-file=${join(directory, 'pid')}`, '--innodb-buffer-pool-size=16M', '--skip-name-resolve'],
    temporary(directory),
    ...['--plugin-load-add=auth_ed25519', '--general-log=1', `--general-log-file=${generalLog}`, ...more],
  ];
}

/** Runs statements as root and gives what they print, tab-separated. */
export function askMariaDb(directory: string, sql: string): string {
  const { socket } = mariaDbFiles(directory);
  return execFileSync('mariadb', [...CLIENT, `--socket=${socket}`, '-e', sql], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
}
