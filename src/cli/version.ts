import { readFileSync } from 'node:fs';

/** The version in the package's own package.json, which is two levels up from the sources and three from `dist`. */
export function programVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as PackageJson;
      if (name === 'tcpcopy') return version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return 'unknown';
}

interface PackageJson {
  readonly name: string;
  readonly version: string;
}
