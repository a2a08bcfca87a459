/** What we use of the npm package `cap` 0.2.1, which brings no types. It is optional. */
import { createRequire } from 'node:module';

export interface CapInstance {
  /** Returns a link type: a name, or `Unknown linktype N`. Keeps writing into `buffer` without holding on to it. */
  open(device: string, filter: string, bufferBytes: number, buffer: Buffer): string;
  on(event: 'packet', listener: (length: number, truncated: boolean) => void): void;
  close(): boolean;
}

export interface CapModule {
  readonly Cap: (new () => CapInstance) & {
    deviceList(): { readonly name: string; readonly flags?: string }[];
  };
}

/** Throws when the package is not installed or not built. */
export function loadCap(): CapModule {
  return createRequire(import.meta.url)('cap') as CapModule;
}
