/**
 * The only door to the native addon. It is optional: everything builds, and runs on the portable backends, without it;
 * whoever wants it learns in plain words why it is not there.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { NativeAddon } from './addon.ts';

export type NativeResult =
  | { readonly addon: NativeAddon; readonly reason?: undefined }
  | { readonly addon?: undefined; readonly reason: string };

/** In a checkout, `npm run build:native` does the same. */
const BUILD = 'with a C compiler, `npm rebuild tcpcopy` builds it (`--global` where it is installed so)';

let result: NativeResult | undefined;

/** Loads the addon once; later calls return the same answer. */
export function loadNative(): NativeResult {
  result ??= load();
  return result;
}

function load(): NativeResult {
  const platform = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return { reason: `the native addon is for Linux, not ${process.platform}` };
  // From src/native/ in a checkout, from dist/src/native/ in the package.
  const places = ['../../', '../../../'].map((up) =>
    fileURLToPath(new URL(`${up}prebuilds/${platform}/tcpcopy.node`, import.meta.url)),
  );
  const file = places.find((place) => existsSync(place));
  if (file === undefined) {
    return { reason: `there is no native addon for ${platform}; ${BUILD}` };
  }
  try {
    return { addon: createRequire(import.meta.url)(file) as NativeAddon };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { reason: `the addon for ${platform} does not load (${why}); ${BUILD}` };
  }
}
