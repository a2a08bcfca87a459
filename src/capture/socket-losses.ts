/** What the kernel dropped of a capture whose socket somebody else has opened in this process. Linux, with the addon. */
import { readdirSync } from 'node:fs';
import { loadNative } from '../native/load.ts';

/**
 * Counts for this process's packet socket: frames dropped since last asked. `undefined` where that cannot be learnt. To be
 * called by who still is the user that the process was started as: another may not list its files.
 */
export function countLosses(): (() => number) | undefined {
  const { addon } = loadNative();
  if (addon === undefined) return undefined;
  const sockets = readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => addon.droppedFrames(fd) !== undefined);
  if (sockets.length === 0) return undefined;
  return () => sockets.reduce((sum, fd) => sum + (addon.droppedFrames(fd) ?? 0), 0);
}
