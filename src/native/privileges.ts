/**
 * Whose rights this process has, and those it starts. Opening packet sockets takes CAP_NET_RAW, which a process keeps
 * under another user, to open a device anew; all else that root may do is given up. Processes of plugins get nothing.
 * Without the addon the kernel's rule holds: another user has no capabilities.
 */
import { loadNative } from './load.ts';

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** Debian's and everybody else's nobody, where nothing tells another. */
export const NOBODY: UserIds = { uid: 65_534, gid: 65_534 };

/** For a process that opens nothing any more. Where this cannot be done (a user namespace without nobody), it stays as it is. */
export function becomeNobody(): void {
  if (process.getuid?.() !== 0) return;
  try {
    process.setgroups?.([NOBODY.gid]);
    process.setgid?.(NOBODY.gid);
    process.setuid?.(NOBODY.uid);
  } catch {
    // It reads what it has opened, with more rights than it needs.
  }
}

/** Goes on as this user, in its own group only. Throws where this process may not. */
export function becomeUser({ uid, gid }: UserIds): void {
  const { addon } = loadNative();
  if (process.getuid?.() !== uid) {
    addon?.keepCapabilities();
    process.setgroups?.([gid]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  }
  addon?.limitCapabilities();
}

/** What this process inherited for itself goes to none that it starts. To be called once, before any is started. */
export function keepRightsFromChildren(): void {
  loadNative().addon?.passNetRaw(false);
}

/** Starts a process of our own that has to open devices too. */
export function withNetRaw<T>(start: () => T): T {
  const { addon } = loadNative();
  addon?.passNetRaw(true);
  try {
    return start();
  } finally {
    addon?.passNetRaw(false);
  }
}
