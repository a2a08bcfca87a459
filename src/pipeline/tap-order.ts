/**
 * The order in which the taps of one hook run.
 *
 * By phase, then by `stage` (default 0, lower first), then as registered. A tap that names others with `before` is moved
 * up to stand before the first of them, behind nothing but others that must come before it too; everything else stays as
 * it was. `before` holds within a phase: a tap of an earlier phase comes first anyway, one of a later phase cannot.
 */
import { TcpcopyError } from '../core/errors.ts';
import { PHASES, type Phase } from './phases.ts';

export interface OrderedTap {
  readonly name: string;
  readonly phase: Phase;
  readonly stage: number;
  readonly before: readonly string[];
  /** The how-manieth registration of the run. */
  readonly order: number;
}

/** Sorts taps of `hook`, whose names are unique; throws when a `before` cannot be kept. */
export function orderTaps<T extends OrderedTap>(hook: string, taps: readonly T[]): T[] {
  const base = taps.toSorted(
    (a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) || a.stage - b.stage || a.order - b.order,
  );
  const mustPrecede = predecessors(hook, base);
  const ordered: T[] = [];
  const placed = new Set<T>();
  const path: T[] = [];
  const place = (tap: T): void => {
    if (placed.has(tap)) return;
    if (path.includes(tap)) throw cycle(hook, [...path.slice(path.indexOf(tap)), tap]);
    path.push(tap);
    for (const earlier of mustPrecede.get(tap) ?? []) place(earlier);
    path.pop();
    placed.add(tap);
    ordered.push(tap);
  };
  for (const tap of base) place(tap);
  return ordered;
}

/** For each tap those of its phase that must come before it, in base order. */
function predecessors<T extends OrderedTap>(hook: string, base: readonly T[]): ReadonlyMap<T, readonly T[]> {
  const byName = new Map(base.map((tap) => [tap.name, tap]));
  const found = new Map<T, T[]>();
  for (const tap of base) {
    for (const name of tap.before) {
      const other = byName.get(name);
      if (other === undefined || other === tap) throw unknownBefore(hook, tap, name, base);
      const difference = PHASES.indexOf(tap.phase) - PHASES.indexOf(other.phase);
      if (difference > 0) throw phaseConflict(hook, tap, other);
      if (difference === 0) found.set(other, [...(found.get(other) ?? []), tap]);
    }
  }
  return found;
}

function unknownBefore(hook: string, tap: OrderedTap, name: string, base: readonly OrderedTap[]): TcpcopyError {
  const others = base.filter((other) => other !== tap).map((other) => other.name);
  return new TcpcopyError('E_PLUGIN_HOOK', `wants to run before '${name}', which does not tap ${hook}`, {
    where: `plugin tap ${tap.name}`,
    hint: others.length === 0 ? 'no other plugin taps it' : `others on it: ${others.join(', ')}`,
  });
}

function phaseConflict(hook: string, tap: OrderedTap, other: OrderedTap): TcpcopyError {
  const message = `wants to run before '${other.name}' on ${hook}, but ${tap.phase} comes after ${other.phase}`;
  return new TcpcopyError('E_PLUGIN_HOOK', message, {
    where: `plugin tap ${tap.name}`,
    hint: `give it the phase ${other.phase}, or leave 'before' out`,
  });
}

function cycle(hook: string, path: readonly OrderedTap[]): TcpcopyError {
  const names = path.map((tap) => tap.name).toReversed();
  return new TcpcopyError('E_PLUGIN_HOOK', `the taps of ${hook} cannot be ordered: ${names.join(' before ')}`, {
    where: `plugin tap ${names[0]!}`,
    hint: "take one 'before' away",
  });
}
