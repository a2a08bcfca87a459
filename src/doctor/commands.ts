/** Other programs of this host, asked for what only they know. None of them changes anything. */
import { execFile } from 'node:child_process';

const PATIENCE_MS = 2_000;

/** What it prints; `undefined` when it is not there, or fails. */
export function ask(program: string, ...args: string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: PATIENCE_MS, maxBuffer: 8 << 20 }, (error, stdout) =>
      resolve(error === null ? stdout : undefined),
    );
  });
}

/** The same with what it says when it fails. */
export function askWhy(
  program: string,
  ...args: string[]
): Promise<{ readonly out: string } | { readonly why: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: PATIENCE_MS }, (error, stdout, stderr) => {
      if (error === null) resolve({ out: stdout });
      else resolve({ why: error.code === 'ENOENT' ? '' : stderr.trim() });
    });
  });
}
