import { readFileSync } from 'node:fs';

/** AT_NULL and AT_PAGESZ of linux/auxvec.h. */
const END = 0n;
const PAGE_SIZE = 6n;
/** The largest in use: what is a multiple of it is one of any other. */
const LARGEST = 65_536;

let known: number | undefined;

/**
 * Bytes of a page of memory, by what the kernel told this process when it started (getauxval(3)). Read once: a process that
 * has become another user may not read it. Where nobody says so, the largest size in use.
 */
export function pageSize(): number {
  known ??= read();
  return known;
}

function read(): number {
  try {
    return pageSizeIn(readFileSync('/proc/self/auxv'));
  } catch {
    return LARGEST;
  }
}

/** `auxv`: pairs of 64-bit words. Where it is something else, as on 32-bit machines, the largest size in use. */
export function pageSizeIn(auxv: Uint8Array): number {
  const words = new BigUint64Array(auxv.slice().buffer, 0, auxv.length >> 3);
  for (let i = 0; i + 1 < words.length && words[i] !== END; i += 2) {
    const size = Number(words[i + 1]);
    if (words[i] === PAGE_SIZE && LARGEST % size === 0) return size;
  }
  return LARGEST;
}
