/** The addon built for memory checkers, with the scenarios compiled beside it, in a directory of its own. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const MISUSE = fileURLToPath(new URL('misuse.c', import.meta.url));

/** Compiles the scenarios and what they import to `directory`: under a checker a compiler would run for long. */
export function compileScenarios(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const config = join(directory, 'tsconfig.json');
  const compilerOptions = { outDir: directory, rootDir: ROOT, noEmit: false, incremental: false, types: [] };
  const files = ['scenarios.ts', 'direct-scenarios.ts'].map((file) => join(ROOT, 'test/integration/io', file));
  writeFileSync(config, JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, files, include: [] }));
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '--noCheck', '-p', config]);
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }\n');
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
}

/** Builds the addon where the compiled scenarios find it, and returns the path of one that misuses memory. */
export function buildAddons(directory: string, kind: 'SANITIZE' | 'DEBUG'): string {
  const build = (output: string, ...sources: readonly string[]) =>
    execFileSync(join(ROOT, 'script/build-native'), [output, ...sources], {
      env: { ...process.env, [kind]: '1' },
      stdio: 'pipe',
    });
  build(join(directory, `prebuilds/linux-${process.arch}/tcpcopy.node`));
  const misuse = join(directory, 'misuse.node');
  build(misuse, MISUSE);
  return misuse;
}

/** A module, as an `--import`, that calls a function of an addon. */
export function calling(addon: string, name: string): string {
  const call = `createRequire('/')(${JSON.stringify(addon)})[${JSON.stringify(name)}]()`;
  return `data:text/javascript,${encodeURIComponent(`import { createRequire } from 'node:module'; ${call};`)}`;
}
