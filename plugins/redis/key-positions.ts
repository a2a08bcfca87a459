/** Where the keys of a command are, by its key specifications (https://redis.io/docs/reference/key-specs/). */
import type { CommandSpec, KeySpec } from './command-spec.ts';

/** The arguments of a command; those that stream past are `undefined`. */
export interface Arguments {
  readonly length: number;
  /** As text, whatever its bytes. */
  text(index: number): string | undefined;
}

/**
 * Positions of keys among the arguments, in ascending order, each once. `undefined`: they cannot be told, because the
 * command is not as it should be, or because arguments that decide it stream past.
 */
export function keyPositions(spec: CommandSpec, args: Arguments): readonly number[] | undefined {
  const found: number[] = [];
  for (const part of spec.keys) if (!locate(part, args, found)) return undefined;
  return spec.keys.length > 1 || 'own' in (spec.keys[0] ?? {}) ? [...new Set(found)].sort((a, b) => a - b) : found;
}

/** Adds positions; false when they cannot be told. */
function locate(spec: KeySpec, args: Arguments, found: number[]): boolean {
  if ('at' in spec) {
    const last = spec.to < 0 ? args.length + spec.to : spec.to;
    if (spec.at >= args.length || last >= args.length) return spec.to < 0;
    for (let i = spec.at; i <= last; i += spec.step) found.push(i);
    return true;
  }
  if ('countAt' in spec) return locateCounted(spec.countAt, args, found);
  if ('word' in spec) return locateBehind(spec, args, found);
  return spec.own === 'SORT' ? locateInSort(args, found) : locateInMigrate(args, found);
}

function locateCounted(at: number, args: Arguments, found: number[]): boolean {
  const text = args.text(at);
  if (text === undefined || !/^\d{1,9}$/.test(text)) return false;
  const count = Number(text);
  if (at + count >= args.length) return false;
  for (let i = 1; i <= count; i++) found.push(at + i);
  return true;
}

function locateBehind(
  { word, from, half }: { word: string; from: number; half: boolean },
  args: Arguments,
  found: number[],
): boolean {
  for (let i = from; i < args.length; i++) {
    const text = args.text(i);
    if (text === undefined) return false;
    if (text.toUpperCase() !== word) continue;
    const first = i + 1;
    const count = half ? Math.floor((args.length - first) / 2) : Math.min(1, args.length - first);
    for (let k = 0; k < count; k++) found.push(first + k);
    if (half) return true;
    // It may come again, and then that counts.
    i = first;
  }
  return true;
}

/** The key, and where the result is stored, which may stand anywhere; the last one counts. */
function locateInSort(args: Arguments, found: number[]): boolean {
  let store = -1;
  for (const { word, value } of sortOptions(args)) if (word === 'STORE') store = value;
  if (args.length < 2) return false;
  for (let i = 2; i < args.length; i++) if (args.text(i) === undefined) return false;
  found.push(1);
  if (store > 0) found.push(store);
  return true;
}

/** The options of SORT that take one value, with the position of that value. */
export function sortOptions(args: Arguments): { word: string; value: number }[] {
  const options: { word: string; value: number }[] = [];
  for (let i = 2; i < args.length; i++) {
    const word = args.text(i)?.toUpperCase() ?? '';
    if (word === 'LIMIT') i += 2;
    else if (/^(STORE|BY|GET)$/.test(word) && i + 1 < args.length) options.push({ word, value: ++i });
  }
  return options;
}

/** One key, or an empty one and a list at the end. */
function locateInMigrate(args: Arguments, found: number[]): boolean {
  const single = args.text(3);
  if (single === undefined) return false;
  if (single !== '') {
    found.push(3);
    return true;
  }
  for (let i = 6; i < args.length; i++) {
    const text = args.text(i);
    if (text === undefined) return false;
    if (text.toUpperCase() !== 'KEYS') continue;
    for (let k = i + 1; k < args.length; k++) found.push(k);
    return true;
  }
  return false;
}
