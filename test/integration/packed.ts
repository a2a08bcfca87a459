/** What users get: packages as they are packed, and the commands of npm that handle them. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const exec = promisify(execFile);

/** Runs a program in a directory; rejects, with all that it printed, when it fails. */
export function run(directory: string, program: string, ...args: readonly string[]): Promise<string> {
  return runWith(process.env, directory, program, ...args);
}

/** The same in another environment. */
export async function runWith(
  env: NodeJS.ProcessEnv,
  directory: string,
  program: string,
  ...args: readonly string[]
): Promise<string> {
  try {
    return (await exec(program, args, { cwd: directory, env })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
    throw new Error(`${program} ${args.join(' ')} failed\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** Packs what is in `source` into `directory`; returns the path of the tarball. */
export async function pack(source: string, directory: string, ...flags: readonly string[]): Promise<string> {
  const before = new Set(await readdir(directory));
  await run(source, 'npm', 'pack', '--pack-destination', directory, ...flags);
  const added = (await readdir(directory)).find((name) => name.endsWith('.tgz') && !before.has(name));
  return join(directory, added!);
}

/** Packs this project. `prepack` would rebuild `dist` under the feet of tests that run it; setup has built it. */
export async function packTcpcopy(directory: string): Promise<string> {
  return pack(ROOT, directory, '--ignore-scripts');
}

/** Installs tarballs, without the packages that have to be compiled. */
export async function install(directory: string, ...packages: readonly string[]): Promise<void> {
  const flags = ['--omit=optional', '--prefer-offline', '--no-audit', '--no-fund'];
  await run(directory, 'npm', 'install', ...flags, ...packages);
}
