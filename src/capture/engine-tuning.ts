/**
 * Settings of the JavaScript engine for a process that copies live traffic. It wakes up some hundred times a second for a
 * few packets each: what counts is how soon code is optimized, and what a small garbage collection costs.
 */
import { setFlagsFromString } from 'node:v8';

export function tuneForLive(): void {
  // What the optimizer needs to know is gathered from the first call on, not from the eighth or so of each function.
  setFlagsFromString('--no-lazy-feedback-allocation');
  // Waking helper threads for a young generation of which little survives costs more than they take over.
  setFlagsFromString('--no-parallel-scavenge');
}
