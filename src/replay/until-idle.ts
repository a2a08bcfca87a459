/** Waits for something of the user's that may never come, such as a promise nobody settles. */
import { once } from 'node:events';

/**
 * What `promise` gives. Rejects with what `error` makes when nothing is left to happen in this process that could settle it:
 * Node would end without a word.
 */
export async function untilIdle<T>(promise: Promise<T>, error: () => Error): Promise<T> {
  const settled = new AbortController();
  const idle = once(process, 'beforeExit', { signal: settled.signal }).then(() => Promise.reject(error()));
  try {
    return await Promise.race([promise, idle]);
  } finally {
    settled.abort();
    idle.catch(() => undefined);
  }
}
