/**
 * Ends the session of a replica the way its client ended the connection, when everything before that is done. Made when the
 * client ends.
 */
import { addTime, earliest, NEVER, seconds, type Instant } from '../core/time.ts';
import type { ReplicaSession } from './replica-session.ts';
import type { ClientEnd } from './replica-owner.ts';

/** Of a target that answers others meanwhile: a server that has much to do may leave a connection waiting for so long. */
const LONG_SILENCE = seconds(20);
/** What a target must be silent for until it is taken to have said all. */
const PAUSE = seconds(1);
/** With more sessions than this none is kept open for what may still come: ports and memory are for those that are needed. */
const CROWD = 4_096;

export class SessionClosing {
  readonly #session: ReplicaSession;
  readonly #end: ClientEnd;
  readonly #answers: number;
  #latest: Instant | undefined;
  /** What the target had said, all sessions together, when this one was silent, and when to look whether it goes on. */
  #heard = -1;
  #listensUntil: Instant = -Infinity as Instant;

  /** `answers`: as of `clientEnded`. */
  constructor(session: ReplicaSession, end: ClientEnd, answers: number) {
    this.#session = session;
    this.#end = end;
    this.#answers = answers;
  }

  /** When to look again if nothing more comes. To be asked when nothing is left to be sent. */
  get lookAt(): Instant {
    const { hasUnknownRest, turn, context } = this.#session;
    if (!hasUnknownRest) return earliest(turn.closeAt, this.#closeBy);
    if (context.waitsForResponse) return earliest(turn.silentAt, this.#closeBy);
    return turn.silentAt === NEVER ? this.#closeBy : this.#silentFrom;
  }

  /** Returns whether nothing is left to be done or to be learnt: the target layer sees the closing through. */
  closeWhenDone(): boolean {
    const session = this.#session;
    if (session.units.current !== undefined || session.units.isBroken) return false;
    const settled = session.units.length === 0;
    if (!settled && (this.#answers > 0 || this.#end !== 'fin')) return false;
    if (!session.isOpen) return settled;
    if (!session.closing && !this.#mayClose()) return false;
    if (this.#end === 'rst') {
      session.abort();
      session.over('reset');
      return true;
    }
    if (!session.closing) {
      session.close();
      session.closing = true;
    }
    return settled;
  }

  /** Then the session is closed, however much of the response is missing: counted from when all had been sent. */
  get #closeBy(): Instant {
    const { context } = this.#session;
    return (this.#latest ??= addTime(context.now(), context.patience(true)));
  }

  /**
   * Whether the target has said what the client had seen when it closed: a server that is closed on in the middle of a
   * response may drop it, and what it was asked behind it. (nginx does, where it waits for room to send.)
   */
  #mayClose(): boolean {
    const session = this.#session;
    const { context, turn } = session;
    if (!session.hasUnknownRest) return session.hasSaid(this.#answers) || this.#isLate;
    if (!context.waitsForResponse) return this.#isSilent();
    return session.hasSaidAsOnline(this.#answers) || context.now() >= turn.silentAt || this.#isLate;
  }

  get #isLate(): boolean {
    return this.#session.context.now() >= this.#closeBy;
  }

  /**
   * Of all that was sent at once nobody knows how much is still to come: silence tells, if the target says nothing to others,
   * either, or for long.
   */
  #isSilent(): boolean {
    const { context, turn } = this.#session;
    const now = context.now();
    if (turn.silentAt === NEVER) return this.#isLate;
    if (now < this.#silentFrom) return false;
    const { heard, openSessions } = context.target;
    if (heard === this.#heard || openSessions > CROWD || now >= addTime(turn.silentAt, LONG_SILENCE)) return true;
    this.#heard = heard;
    this.#listensUntil = addTime(now, PAUSE);
    return false;
  }

  get #silentFrom(): Instant {
    const { silentAt } = this.#session.turn;
    return this.#listensUntil > silentAt ? this.#listensUntil : silentAt;
  }
}
