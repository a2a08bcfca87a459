import { instant, type Instant } from '../core/time.ts';
import type { UnitBucket } from '../report/ledger.ts';
import type { ReadRequest, TimedResponse } from './exchange.ts';

/** A place inside a unit from which on it waits until the target has said something. */
export interface Hold {
  /** How many bytes may be sent before. */
  readonly at: number;
  /** What the target has to say, in bytes, and how long it is waited for. */
  readonly answers: number;
  readonly until: Instant;
}

/**
 * One unit of client data on its way through one session; offsets and lengths in bytes. Made by `newUnit`.
 *
 * Of a connection that is kept alive one unit lives until the client sends again: long enough to be moved into V8's old
 * generation, where garbage stays until the next full collection. So units that are settled are used again.
 */
export class Unit {
  /** Those before and behind it in its queue. */
  previous: Unit | undefined = undefined;
  next: Unit | undefined = undefined;
  /** Captured so far. */
  length = 0;
  /** Handed to the session so far. */
  sent = 0;
  /** No more bytes will come. */
  ended = false;
  /** Not to be released before this; `undefined`: at once. */
  notBefore: Instant | undefined = undefined;
  /** Where the rest of it waits for the target; `undefined`: nowhere. */
  hold: Hold | undefined = undefined;
  /** The capture lost bytes of it: where it will be counted. */
  broken: UnitBucket | undefined = undefined;
  /** Where it begins in the session's stream; -1 while it waits. */
  start = -1;
  /** Response bytes the session had received when the unit was released. */
  receivedBefore = 0;
  /** Set where its response is read, if the session allows. */
  request: ReadRequest | undefined = undefined;
  /** Of no use in another session than the unit before it. */
  sameSession = false;
  /** The dialogue of its session has said that it is to wait. */
  waits = false;
  /** The reader of the session's responses was told of it. */
  isRead = false;
  /** Its response has come whole, or it gets none. */
  isAnswered = false;
  response: TimedResponse | undefined = undefined;
  /** When its first byte was handed to the session. */
  sentAt: Instant | undefined = undefined;
  /** Server bytes the client had seen before it sent this; 0: it waited for nothing. */
  answers = 0;
  /** When its first byte was captured. */
  captured: Instant = instant(0.5);

  get released(): boolean {
    return this.start >= 0;
  }

  /** Bytes that can be handed to the session now. */
  get sendable(): number {
    const { hold, length } = this;
    return (hold !== undefined && hold.at < length ? hold.at : length) - this.sent;
  }

  /** All of it is with the session. */
  get handedOver(): boolean {
    return this.ended && this.sent === this.length;
  }
}

/** Most units that are kept for use. */
const SPARE_MAX = 1_000;
/** Linked by `next`. */
let spare: Unit | undefined = undefined;
let spares = 0;

export function newUnit(answers: number, captured: Instant): Unit {
  const unit = spare ?? new Unit();
  if (spare !== undefined) {
    spare = unit.next;
    spares--;
    unit.next = undefined;
  }
  unit.answers = answers;
  unit.captured = captured;
  return unit;
}

/** It is settled, and in no queue: nobody looks at it any more. */
export function giveUpUnit(unit: Unit): void {
  if (spares === SPARE_MAX) return;
  unit.length = 0;
  unit.sent = 0;
  unit.ended = false;
  unit.notBefore = undefined;
  unit.hold = undefined;
  unit.broken = undefined;
  unit.start = -1;
  unit.receivedBefore = 0;
  unit.request = undefined;
  unit.sameSession = false;
  unit.waits = false;
  unit.isRead = false;
  unit.isAnswered = false;
  unit.response = undefined;
  unit.sentAt = undefined;
  unit.next = spare;
  spare = unit;
  spares++;
}
