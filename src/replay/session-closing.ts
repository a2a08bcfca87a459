/**
 * Ends the session of a replica the way its client ended the connection, when everything before that is done. Made when the
 * client ends.
 */
import { addTime, type Instant } from '../core/time.ts';
import type { ReplicaSession } from './replica-session.ts';
import type { ClientEnd } from './replica-owner.ts';

export class SessionClosing {
  readonly #session: ReplicaSession;
  readonly #end: ClientEnd;
  readonly #answers: number;
  /** Then the session is closed, however much of the response is missing. */
  readonly latest: Instant;

  /** `answers`: bytes of the server's that the client had seen since it last sent. */
  constructor(session: ReplicaSession, end: ClientEnd, answers: number) {
    this.#session = session;
    this.#end = end;
    this.#answers = answers;
    this.latest = addTime(session.context.now(), session.context.patience(true));
  }

  /** Returns whether nothing is left to be done or to be learnt: the target layer sees the closing through. */
  closeWhenDone(): boolean {
    const session = this.#session;
    if (session.units.current !== undefined || session.units.isBroken) return false;
    const settled = session.units.length === 0;
    if (!settled && (this.#answers > 0 || this.#end !== 'fin')) return false;
    if (!session.isOpen) return settled;
    if (this.#end === 'rst') {
      session.abort();
      session.over('reset');
      return true;
    }
    if (!session.closing) {
      if (!session.mayClose(this.#answers, this.latest)) return false;
      session.close();
      session.closing = true;
    }
    return settled;
  }
}
