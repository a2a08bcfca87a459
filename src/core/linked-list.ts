/** What can be in a list, which keeps these: undefined outside of one. */
export interface Linked<T> {
  listNext: T | undefined;
  listPrevious: T | undefined;
}

/**
 * Objects in the order in which they came, that come and go all the time, each in one list at most. What has left points to
 * nothing, so that it keeps nothing alive; a `Set` would (see number-map).
 */
export class LinkedList<T extends Linked<T>> {
  #first: T | undefined = undefined;
  #last: T | undefined = undefined;

  get first(): T | undefined {
    return this.#first;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Puts it at the end, unless it is in the list. */
  add(member: T): void {
    if (member.listPrevious !== undefined || this.#first === member) return;
    member.listPrevious = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.listNext = member;
    this.#last = member;
  }

  delete(member: T): void {
    const { listPrevious: previous, listNext: next } = member;
    if (previous === undefined && this.#first !== member) return;
    if (previous === undefined) this.#first = next;
    else previous.listNext = next;
    if (next === undefined) this.#last = previous;
    else next.listPrevious = previous;
    member.listPrevious = member.listNext = undefined;
  }
}
