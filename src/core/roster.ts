/** What has a place in a roster, which the roster keeps: -1 outside of one. */
export interface Rostered {
  rosterIndex: number;
}

/**
 * A set of objects that come and go all the time, each in one roster at most; in no order. A `Set` would keep more than half
 * of them alive long after they have gone (see number-map).
 */
export class Roster<T extends Rostered> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    if (member.rosterIndex >= 0) return;
    member.rosterIndex = this.#members.length;
    this.#members.push(member);
  }

  delete(member: T): void {
    const index = member.rosterIndex;
    if (index < 0) return;
    member.rosterIndex = -1;
    const last = this.#members.pop()!;
    if (last === member) return;
    this.#members[index] = last;
    last.rosterIndex = index;
  }

  /** Those that are in it now: not to be gone through while it changes. */
  get members(): readonly T[] {
    return this.#members;
  }
}
