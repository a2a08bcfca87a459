/**
 * The end of a run: sessions that have been closed from here are left to their targets while these go on answering. One
 * that was sent more than it has read yet would lose the rest if its session was reset.
 */
import { elapsed, seconds, type Duration, type Instant } from '../core/time.ts';
import type { Target } from './target.ts';

/** A target whose last packets were lost sends them again after up to some seconds (RFC 6298 §5.5). */
const QUIET = seconds(5);
/** An endless response is not waited for: no session has ended for so long. */
const LONGEST = seconds(60);

export interface Listener {
  now(): Instant;
  /** Lets a moment pass. */
  wait(): Promise<void>;
  /** The run is to end soon: then `goodbye` is all the time there is. */
  hurried(): boolean;
}

/** Resolves when no session is open, or the target has been quiet for long. */
export async function hearOut(
  target: Pick<Target, 'openSessions' | 'heard'>,
  goodbye: Duration,
  listener: Listener,
): Promise<void> {
  let { heard, openSessions } = target;
  let heardAt = listener.now();
  let endedAt = heardAt;
  let hurriedAt: Instant | undefined;
  while (target.openSessions > 0) {
    const now = listener.now();
    if (target.heard !== heard) heardAt = now;
    if (target.openSessions !== openSessions) endedAt = now;
    ({ heard, openSessions } = target);
    if (listener.hurried()) hurriedAt ??= now;
    if (hurriedAt !== undefined && elapsed(now, hurriedAt) >= goodbye) return;
    if (elapsed(now, heardAt) >= QUIET || elapsed(now, endedAt) >= LONGEST) return;
    await listener.wait();
  }
}
