/** The ways in which the bytes of a conversation can come in. */
import { bytesOf } from '../bytes.ts';
import type { Random } from '../random.ts';
import type { TriedConversation } from './codec-spec.ts';
import type { Step } from './read.ts';

/** Bytes of one segment. */
export type Pushed = Exclude<Step, 'end' | { missing: number }>;

/** Most places that are tried one by one. */
const MOST_CUTS = 300;

/** Each turn in one segment. */
export function wholeTurns({ client }: TriedConversation): Pushed[] {
  return client.map((bytes, turn) => ({ bytes: bytesOf(bytes), turn, seen: turn === 0 ? 0 : 100 + turn }));
}

/** Cuts at these offsets into all the bytes; what the client had seen comes with the first segment of a turn. */
export function cutAt(turns: readonly Pushed[], offsets: readonly number[]): Pushed[] {
  const cuts = new Set(offsets);
  const steps: Pushed[] = [];
  let at = 0;
  for (const { bytes, turn, seen } of turns) {
    let begin = 0;
    for (let i = 1; i <= bytes.length; i++) {
      if (i < bytes.length && !cuts.has(at + i)) continue;
      steps.push({ bytes: bytes.subarray(begin, i), turn, seen: begin === 0 ? seen : 0 });
      begin = i;
    }
    at += bytes.length;
  }
  return steps;
}

export function lengthOf(turns: readonly Pushed[]): number {
  return turns.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** Every place where there can be a cut, or as many of them, spread out, as can be tried in reasonable time. */
export function places(length: number): number[] {
  const stride = Math.max(1, length / MOST_CUTS);
  return Array.from({ length: Math.floor((length - 1) / stride) }, (_, i) => 1 + Math.floor(i * stride));
}

/** Some cuts, few or many. */
export function randomCuts(length: number, random: Random): number[] {
  const count = 1 + random.below(random.next() < 0.5 ? 4 : Math.min(length, 40));
  return Array.from({ length: count }, () => 1 + random.below(length)).sort((a, b) => a - b);
}

/** The same bytes without those from `begin` to `end`, each turn in one segment at most on either side of the hole. */
export function withHole(turns: readonly Pushed[], begin: number, end: number): Step[] {
  const steps: Step[] = [];
  let at = 0;
  let told = false;
  for (const piece of cutAt(turns, [begin, end])) {
    const inHole = at >= begin && at < end;
    at += piece.bytes.length;
    if (!inHole) steps.push(piece);
    else if (!told) {
      told = true;
      steps.push({ missing: end - begin });
    }
  }
  return steps;
}

/** From an offset on, as seen by who came late. */
export function from(turns: readonly Pushed[], begin: number): Step[] {
  const after: Step[] = [];
  let at = 0;
  for (const piece of cutAt(turns, [begin])) {
    if (at >= begin) after.push(piece);
    at += piece.bytes.length;
  }
  return after;
}

/** What is there up to an offset, and then the client's end. */
export function upTo(turns: readonly Pushed[], end: number): Step[] {
  const before: Step[] = [];
  let at = 0;
  for (const piece of cutAt(turns, [end])) {
    if (at < end) before.push(piece);
    at += piece.bytes.length;
  }
  return [...before, 'end'];
}
