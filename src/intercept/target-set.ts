/** The addresses and port ranges whose responses an instance wants; a look-up that allocates nothing. */
import type { TargetRange } from '../control/messages.ts';

/** Address words, first port, last port. */
const STRIDE = 6;

export class TargetSet {
  readonly ranges: readonly TargetRange[];
  readonly #words: Int32Array;

  constructor(ranges: readonly TargetRange[]) {
    this.ranges = ranges;
    this.#words = Int32Array.from(
      ranges.flatMap(({ address: { w0, w1, w2, w3 }, portFirst, portLast }) => [w0, w1, w2, w3, portFirst, portLast]),
    );
  }

  contains(w0: number, w1: number, w2: number, w3: number, port: number): boolean {
    const words = this.#words;
    for (let i = 0; i < words.length; i += STRIDE) {
      if (
        words[i + 3] === w3 &&
        words[i + 2] === w2 &&
        words[i + 1] === w1 &&
        words[i] === w0 &&
        port >= words[i + 4]! &&
        port <= words[i + 5]!
      ) {
        return true;
      }
    }
    return false;
  }
}
