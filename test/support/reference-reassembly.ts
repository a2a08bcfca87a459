/**
 * The dull reassembler: remembers every segment of one direction, and works the stream out at the end, byte by byte. The
 * first copy of a byte wins. Sequence numbers are distances from the first byte, so nothing wraps.
 */
export interface ReferenceSegment {
  /** Distance of the first byte from the start of the stream. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface ReferenceStream {
  /** Runs of bytes that were seen, ascending, adjacent ones as one. */
  readonly runs: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
}

export function referenceReassembly(segments: readonly ReferenceSegment[]): ReferenceStream {
  const seen = new Map<number, number>();
  for (const { at, bytes } of segments) {
    bytes.forEach((byte, i) => {
      if (!seen.has(at + i)) seen.set(at + i, byte);
    });
  }
  const runs: { offset: number; bytes: number[] }[] = [];
  for (const offset of [...seen.keys()].sort((a, b) => a - b)) {
    const last = runs[runs.length - 1];
    if (last !== undefined && last.offset + last.bytes.length === offset) last.bytes.push(seen.get(offset)!);
    else runs.push({ offset, bytes: [seen.get(offset)!] });
  }
  return { runs: runs.map((run) => ({ offset: run.offset, bytes: Uint8Array.from(run.bytes) })) };
}
