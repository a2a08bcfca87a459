/**
 * Settings of the JavaScript engine for a process that copies live traffic. It wakes up some hundred times a second for a
 * few packets each: what counts is how soon code is optimized, what a small garbage collection costs, and how many lines of
 * memory a turn touches that have left the processor's caches meanwhile.
 */
import { setFlagsFromString } from 'node:v8';

export function tuneForLive(): void {
  // What the optimizer needs to know is gathered from the first call on, not from the eighth or so of each function.
  setFlagsFromString('--no-lazy-feedback-allocation');
  // Waking helper threads for a young generation of which little survives costs more than they take over.
  setFlagsFromString('--no-parallel-scavenge');
  // The first call of a function in a turn waits for its object, its code's object and header, and its code: of small functions
  // (of 80 bytes of bytecode instead of 27) none is called, and three times as much of the others goes into those that call them.
  setFlagsFromString('--max-inlined-bytecode-size-small=80');
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=2760');
}
