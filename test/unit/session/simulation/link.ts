/** A link that loses, delays, reorders, duplicates and corrupts, and the one event queue of a simulation. */
import type { Random } from './random.ts';

export interface LinkFaults {
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  readonly corrupt: number;
  /** One way, milliseconds. */
  readonly delay: number;
  /** What a reordered packet waits in addition, at most. */
  readonly reorderDelay: number;
}

interface Scheduled {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Virtual time in microseconds. Events of one instant run in the order they were scheduled. */
export class EventQueue {
  now = 5_000_000;
  #order = 0;
  readonly #heap: Scheduled[] = [];

  get isEmpty(): boolean {
    return this.#heap.length === 0;
  }

  schedule(at: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ at, order: this.#order++, run });
    let i = heap.length - 1;
    while (i > 0 && before(heap[i]!, heap[(i - 1) >> 1]!)) {
      const parent = (i - 1) >> 1;
      [heap[i], heap[parent]] = [heap[parent]!, heap[i]!];
      i = parent;
    }
  }

  step(): void {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      for (let i = 0; ;) {
        let least = i;
        if (2 * i + 1 < heap.length && before(heap[2 * i + 1]!, heap[least]!)) least = 2 * i + 1;
        if (2 * i + 2 < heap.length && before(heap[2 * i + 2]!, heap[least]!)) least = 2 * i + 2;
        if (least === i) break;
        [heap[i], heap[least]] = [heap[least]!, heap[i]!];
        i = least;
      }
    }
    this.now = first.at;
    first.run();
  }
}

function before(a: Scheduled, b: Scheduled): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** One direction. `deliver` gets each packet that arrives, and whether it was corrupted on the way. */
export class Link<Packet> {
  /** Packets on their way. */
  inFlight = 0;
  readonly #queue: EventQueue;
  readonly #random: Random;
  readonly #faults: LinkFaults;
  readonly #deliver: (packet: Packet, corrupted: boolean) => void;

  constructor(
    queue: EventQueue,
    random: Random,
    faults: LinkFaults,
    deliver: (packet: Packet, corrupted: boolean) => void,
  ) {
    this.#queue = queue;
    this.#random = random;
    this.#faults = faults;
    this.#deliver = deliver;
  }

  send(packet: Packet): void {
    const { loss, duplicate, reorder, corrupt, delay, reorderDelay } = this.#faults;
    const copies = this.#random.chance(duplicate) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (this.#random.chance(loss)) continue;
      const corrupted = this.#random.chance(corrupt);
      const extra = this.#random.chance(reorder) ? this.#random.next() * reorderDelay : 0;
      this.inFlight++;
      this.#queue.schedule(this.#queue.now + (delay + extra) * 1_000, () => {
        this.inFlight--;
        this.#deliver(packet, corrupted);
      });
    }
  }
}
