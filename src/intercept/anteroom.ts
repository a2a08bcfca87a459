/**
 * Those who have come and not yet shown who they are. There is room for a few; when it is full, the address with the most
 * of them gives up its oldest. So whoever fills it with connections that say nothing drives out his own, and a tcpcopy that
 * comes from elsewhere has the time it needs.
 */
export class Anteroom<T> {
  readonly #room: number;
  /** In the order they came: their addresses. */
  readonly #inside = new Map<T, string>();

  constructor(room: number) {
    this.#room = room;
  }

  get size(): number {
    return this.#inside.size;
  }

  /** Takes `guest` in. Returns who has to go for it, who is not inside any more. */
  enter(guest: T, address: string): T | undefined {
    this.#inside.set(guest, address);
    if (this.#inside.size <= this.#room) return undefined;
    const crowd = this.#largestCrowd();
    for (const [other, from] of this.#inside) {
      if (from !== crowd) continue;
      this.#inside.delete(other);
      return other;
    }
    return undefined;
  }

  /** Returns whether it was inside. */
  leave(guest: T): boolean {
    return this.#inside.delete(guest);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#inside.keys();
  }

  /** The address that most are from; of several the one that came first. */
  #largestCrowd(): string {
    const counts = new Map<string, number>();
    for (const address of this.#inside.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
    let [largest, most] = ['', 0];
    for (const [address, count] of counts) if (count > most) [largest, most] = [address, count];
    return largest;
  }
}
