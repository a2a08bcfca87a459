/** What is kept of one stream while a recording is inspected: a running hash and the gaps, never the bytes. */
import { createHash, type Hash } from 'node:crypto';
import type { Chunk, Gap } from '../reassembly/delivery.ts';
import { OPENING_BYTES } from './opening-content.ts';

export type GapKind = Gap['kind'];

export interface InspectedStream {
  /** Bytes from the start of the stream up to the first gap, and their hash. */
  readonly bytes: number;
  readonly sha256: string;
  /** Offset, length, and whether later data was seen. */
  readonly gaps: readonly (readonly [offset: number, length: number, kind: GapKind])[];
  /** All bytes that were seen, behind gaps too. */
  readonly seen: number;
}

const EMPTY_SHA256 = createHash('sha256').digest('hex');

export class StreamDigest {
  #hash: Hash | undefined = undefined;
  #sha256 = EMPTY_SHA256;
  #bytes = 0;
  #seen = 0;
  readonly #gaps: [number, number, GapKind][] = [];
  /** The first bytes of the stream, as Latin-1 text. */
  opening = '';

  add(chunk: Chunk): void {
    this.#seen += chunk.length;
    if (this.#gaps.length > 0) return;
    const bytes = chunk.bytes.subarray(chunk.offset, chunk.offset + chunk.length);
    if (this.opening.length < OPENING_BYTES) {
      this.opening += String.fromCharCode(...bytes.subarray(0, OPENING_BYTES - this.opening.length));
    }
    this.#bytes += chunk.length;
    (this.#hash ??= createHash('sha256')).update(bytes);
  }

  addGap(gap: Gap): void {
    this.#finishHash();
    this.#gaps.push([gap.offset, gap.length, gap.kind]);
  }

  result(): InspectedStream {
    this.#finishHash();
    return { bytes: this.#bytes, sha256: this.#sha256, gaps: this.#gaps, seen: this.#seen };
  }

  #finishHash(): void {
    if (this.#hash === undefined) return;
    this.#sha256 = this.#hash.digest('hex');
    this.#hash = undefined;
  }
}
