import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('./scripted-program.ts', import.meta.url));
const NODE_ARGS = ['--import', 'tsx', SCRIPT];
const BASE = ['-x', '80-192.0.2.10:8080', '--target', 'socket'];

interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

let dir: string;
let pids: number[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tcpcopy-cli-'));
  pids = [];
});

afterEach(() => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended as it should.
    }
  }
  rmSync(dir, { recursive: true, force: true });
});

function run(...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...NODE_ARGS, ...args], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr: withoutNodeNoise(stderr) }),
    );
  });
}

/** Warnings of the loader that runs TypeScript in tests. */
function withoutNodeNoise(stderr: string): string {
  return stderr.replace(/^\(node:.*\n|^\(Use `node.*\n/gm, '');
}

interface Running {
  readonly child: ChildProcess;
  readonly result: Promise<Result>;
  /** Resolves when standard output contains the text. */
  sees(text: string): Promise<void>;
}

function start(...args: string[]): Running {
  const child = spawn(process.execPath, [...NODE_ARGS, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  pids.push(child.pid!);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  return {
    child,
    result: new Promise((resolve) =>
      child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr: withoutNodeNoise(stderr) })),
    ),
    sees: (text) =>
      until(
        () => stdout.includes(text),
        () => `${text} in ${stdout}${stderr}`,
      ),
  };
}

async function until(condition: () => boolean, what: () => string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
const readIfThere = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '');

describe('exit codes and error lines', () => {
  it.each([
    ['a wrong value', [...BASE, '-n', '5000'], 2, 'tcpcopy: -n 5000: must be a whole number from 1 to 1023 [E_OPTION]'],
    [
      'an unknown option',
      [...BASE, '--pacee', 'x'],
      2,
      "tcpcopy: unknown option '--pacee'; did you mean --pace? [E_USAGE]",
    ],
    ['a missing value', ['-x'], 2, "tcpcopy: option '-x, --map <list>' argument missing; see tcpcopy --help [E_USAGE]"],
    [
      'an unreadable recording',
      [...BASE, '-i', 'none.pcap'],
      2,
      'tcpcopy: -i none.pcap: there is no such file; check the path [E_FILE]',
    ],
    [
      'a failure while starting',
      [...BASE, '--seed', '2'],
      2,
      "tcpcopy: -i eth7: there is no such device; see 'ip link' [E_DEVICE]",
    ],
    ['a failure while running', [...BASE, '--seed', '3'], 1, 'tcpcopy: -i eth7: went away [E_DEVICE]'],
    [
      'an unexpected error',
      [...BASE, '--seed', '4'],
      1,
      'tcpcopy: internal error: two lines; run again with --debug to see where, and report it',
    ],
    [
      'an error nobody catches',
      [...BASE, '--seed', '5'],
      1,
      'tcpcopy: internal error: from a timer; run again with --debug to see where, and report it',
    ],
  ] as const)('%s', async (_name, args, code, line) => {
    const result = await run(...args);
    const errorLines = result.stderr.split('\n').filter((l) => l !== '' && !l.includes('"level":"info"'));
    expect(errorLines).toEqual([line]);
    expect(result.code).toBe(code);
  });

  it('passes the code of the runner on', async () => {
    expect((await run(...BASE, '--seed', '8')).code).toBe(1);
  });

  it('shows a stack trace with --debug only', async () => {
    const result = await run(...BASE, '--seed', '4', '--debug');
    expect(result.stderr).toMatch(/lines; report it\n.*\n.*\n\s+at .*run/);
    expect(result.code).toBe(1);
  });

  it('answers each flag of the C program that has no use with one line', async () => {
    const result = await run(...BASE, '--seed', '8', '-f', '3', '-U', '2');
    expect(result.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^tcpcopy: note: -f is not needed: source ports are leased/),
      expect.stringMatching(/^tcpcopy: note: -U is not needed/),
    ]);
  });
});

describe('signals', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s stops the run and lets it report', async (signal) => {
    const { child, sees, result } = start(...BASE, '--seed', '1');
    await sees('ready');
    child.kill('SIGUSR1');
    await sees('figures');
    child.kill(signal);
    expect(await result).toMatchObject({ code: 0, stdout: `ready\nfigures\nsummary after ${signal}\n` });
  });

  it('a second one ends the process at once', async () => {
    const { child, sees, result } = start(...BASE, '--seed', '7');
    await sees('ready');
    child.kill('SIGINT');
    await sees('not yet');
    child.kill('SIGINT');
    expect(await result).toMatchObject({ code: 130 });
  });

  it('SIGHUP opens the log file anew', async () => {
    const log = join(dir, 'log');
    const { child, sees, result } = start(...BASE, '--seed', '1', '-l', log, '--log-format', 'json');
    await sees('ready');
    renameSync(log, `${log}.1`);
    child.kill('SIGHUP');
    await until(
      () => existsSync(log),
      () => log,
    );
    child.kill('SIGTERM');
    expect((await result).code).toBe(0);
    expect(JSON.parse(readFileSync(`${log}.1`, 'utf8').split('\n')[0]!)).toMatchObject({
      level: 'info',
      msg: 'running',
      seed: 1,
    });
  });
});

describe('pid file', () => {
  it('is written, refused to a second instance, and removed', async () => {
    const pidFile = join(dir, 'pid');
    const { child, sees, result } = start(...BASE, '--seed', '1', '-P', pidFile);
    await sees('ready');
    expect(readFileSync(pidFile, 'utf8')).toBe(`${child.pid}\n`);
    // The check finds the program's name in /proc/PID/cmdline; here it is in the directory of the pid file.
    const second = await run(...BASE, '--seed', '1', '-P', pidFile);
    expect(second).toMatchObject({ code: 2, stdout: '' });
    expect(second.stderr).toContain(`tcpcopy: -P ${pidFile}: is held by process ${child.pid}, which is running`);
    expect(readFileSync(pidFile, 'utf8')).toBe(`${child.pid}\n`);
    child.kill('SIGTERM');
    expect((await result).code).toBe(0);
    expect(existsSync(pidFile)).toBe(false);
  });

  it('left behind by a process that is gone is taken over', async () => {
    const pidFile = join(dir, 'pid');
    writeFileSync(pidFile, '4194303\n');
    const result = await run(...BASE, '--seed', '8', '-P', pidFile);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('was left behind by process 4194303, which is gone: taken over');
  });
});

describe('daemon', () => {
  it('returns when started, logs to the file, writes the pid file, and stops on SIGTERM', async () => {
    const log = join(dir, 'log');
    const pidFile = join(dir, 'pid');
    const result = await run(...BASE, '--seed', '1', '-d', '-l', log, '-P', pidFile);
    const pid = Number(readIfThere(pidFile));
    pids.push(pid);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toBe(`tcpcopy runs in the background as process ${pid}, log in ${log}\n`);
    expect(isAlive(pid)).toBe(true);
    await until(
      () => readIfThere(log).includes('ready'),
      () => 'ready',
    );
    process.kill(pid, 'SIGTERM');
    await until(
      () => !isAlive(pid),
      () => 'the end of the daemon',
    );
    expect(readFileSync(log, 'utf8')).toMatch(
      /"level":"info",.*"msg":"running"}\n.*"msg":"ready"}\n.*"msg":"summary after SIGTERM"}\n/,
    );
    expect(existsSync(pidFile)).toBe(false);
  });

  it('reports a failure at start in the foreground, with its exit code', async () => {
    const log = join(dir, 'log');
    const result = await run(...BASE, '--seed', '2', '-d', '-l', log);
    expect(result).toMatchObject({
      code: 2,
      stdout: '',
      stderr: "tcpcopy: -i eth7: there is no such device; see 'ip link' [E_DEVICE]\n",
    });
    expect(readFileSync(log, 'utf8')).toContain('there is no such device');
  });

  it('reports bad options without starting anything', async () => {
    const log = join(dir, 'log');
    const result = await run(...BASE, '-n', '0', '-d', '-l', log);
    expect(result).toMatchObject({
      code: 2,
      stderr: 'tcpcopy: -n 0: must be a whole number from 1 to 1023 [E_OPTION]\n',
    });
    expect(existsSync(log)).toBe(false);
  });

  it('reports a daemon that dies without a word', async () => {
    const log = join(dir, 'log');
    const result = await run(...BASE, '--seed', '6', '-d', '-l', log);
    expect(result).toMatchObject({
      code: 1,
      stderr: `tcpcopy: the daemon ended while starting (exit code 7); see ${log}\n`,
    });
  });

  it('refuses a second instance with the same pid file', async () => {
    const log = join(dir, 'log');
    const pidFile = join(dir, 'pid');
    expect((await run(...BASE, '--seed', '1', '-d', '-l', log, '-P', pidFile)).code).toBe(0);
    const pid = Number(readIfThere(pidFile));
    pids.push(pid);
    const second = await run(...BASE, '--seed', '1', '-d', '-l', log, '-P', pidFile);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain(`is held by process ${pid}`);
    process.kill(pid, 'SIGTERM');
    await until(
      () => !isAlive(pid),
      () => 'the end of the daemon',
    );
  });
});
