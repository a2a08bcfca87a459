/** The captures that lie beside the repository, and what is known to be true of them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Gap = readonly [offset: number, length: number, kind: 'hole' | 'tail'];

export interface CaptureStream {
  readonly stream: number;
  readonly client: string;
  readonly server: string;
  /** Handshake seen, nothing missing either way, ended by FIN or RST. */
  readonly complete?: boolean;
  readonly c2s_bytes: number;
  readonly c2s_sha256: string;
  readonly c2s_gaps?: readonly Gap[];
  /** `policy:…` where the answer depends on one (docs/reassembly.md); else how sure it is. */
  readonly c2s_truth: string;
  readonly s2c_bytes: number;
  readonly s2c_sha256: string;
  readonly s2c_gaps?: readonly Gap[];
  readonly s2c_truth: string;
}

export interface CaptureFile {
  readonly file: string;
  readonly size: number;
  readonly streams: readonly CaptureStream[];
}

export const CAPTURES = fileURLToPath(new URL('../../../shared/captures/', import.meta.url));

export function captureManifest(): readonly CaptureFile[] {
  return (JSON.parse(readFileSync(`${CAPTURES}manifest.json`, 'utf8')) as { files: CaptureFile[] }).files;
}
