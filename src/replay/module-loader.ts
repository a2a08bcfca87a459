/**
 * Loads modules of the user's: plugins and configuration files, in TypeScript as they are. Whatever they import as
 * `tcpcopy/plugin` is this program's own entry, whether or not the package is installed where they lie.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createJiti, type Jiti } from 'jiti';
import { OWN_EXTENSION } from './own-extension.ts';

const ENTRIES = ['plugin', 'testing'] as const;

export class ModuleLoader {
  readonly #jiti: Jiti;
  readonly #own: Jiti;

  /** Packages are looked for from `directory` upwards, then beside this program. */
  constructor(directory: string) {
    const options = { alias: aliases(), fsCache: false, interopDefault: true };
    // The `paths` of the tsconfig.json that lies above, as TypeScript itself has them.
    this.#jiti = createJiti(pathToFileURL(join(directory, 'tcpcopy')).href, { ...options, tsconfigPaths: true });
    this.#own = createJiti(import.meta.url, options);
  }

  /** Where a package is; `undefined` when there is none. */
  resolve(packageName: string): string | undefined {
    for (const jiti of [this.#jiti, this.#own]) {
      const found = jiti.esmResolve(packageName, { try: true });
      if (found !== undefined) return found.startsWith('file:') ? fileURLToPath(found) : found;
    }
    return undefined;
  }

  /** The default export of a module. */
  async load(path: string): Promise<unknown> {
    return this.#jiti.import(path, { default: true });
  }
}

function aliases(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of ENTRIES) {
    const path = fileURLToPath(new URL(`../${entry}/index${OWN_EXTENSION}`, import.meta.url));
    if (existsSync(path)) found[`tcpcopy/${entry}`] = path;
  }
  return found;
}
