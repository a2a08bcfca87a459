/** The recorded client streams that are known to be whole, byte for byte: what an offline replay must deliver. */
import { captureManifest, type CaptureFile, type CaptureStream } from './shared-captures.ts';

/** What the manifest says of how sure it is; `policy` answers depend on who is asked. */
const SCORED = /^(exact|agreed|majority|checksum)\b/;

export interface CompleteFile {
  readonly file: string;
  /** Of the streams from client to server, those that are complete and certain. */
  readonly streams: readonly CaptureStream[];
  /** Every server of those streams, as `ip:port`. */
  readonly servers: readonly string[];
  /** Whether the selected servers have no other connections in this file. */
  readonly nothingElse: boolean;
}

export function completeFiles(): readonly CompleteFile[] {
  return captureManifest()
    .map(completeFile)
    .filter(({ streams }) => streams.length > 0);
}

export function hashesOf({ streams }: CompleteFile): string[] {
  return streams.map((s) => s.c2s_sha256).sort();
}

/** What of `wanted` is not in `found`, each as often as it is wanted. */
export function missingFrom(found: readonly string[], wanted: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const item of found) left.set(item, (left.get(item) ?? 0) + 1);
  return wanted.filter((item) => {
    const n = left.get(item) ?? 0;
    left.set(item, n - 1);
    return n <= 0;
  });
}

function completeFile({ file, streams }: CaptureFile): CompleteFile {
  const complete = streams.filter((s) => s.complete === true && SCORED.test(s.c2s_truth) && s.c2s_bytes > 0);
  const servers = [...new Set(complete.map((s) => s.server))];
  const selected = streams.filter((s) => servers.includes(s.server) || servers.includes(s.client));
  return { file, streams: complete, servers, nothingElse: selected.length === complete.length };
}
