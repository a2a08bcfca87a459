/**
 * What comes for a connection while a plugin takes its time over one of its messages: kept in its order, and done once the
 * plugin has decided.
 *
 * Caps: bytes and events of one connection, and the budget shared with what waits for the target. Live, what does not fit is
 * as if the capture had not had it, but for its bucket. A recording is not read on while one is crowded, so that of it only
 * the budget ever keeps something out.
 */
import { copyOf } from '../core/bytes.ts';
import { compact } from '../core/compact.ts';
import type { SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import type { ClientEnd } from './replica-owner.ts';
import type { Overflow } from './piece-queue.ts';
import type { ReplayContext } from './replay-context.ts';

/** What a connection is told of as it is captured. Bytes are valid during the call. */
export interface CapturedEvents {
  /** Client bytes in order. `ack`: the client's ACK on the segment that brought them. */
  data(bytes: Uint8Array, offset: number, length: number, time: Instant, ack: SeqNum): void;
  /** Client bytes that the capture does not have; `overflow`: it had them, and they found no place. */
  gap(length: number, overflow?: Overflow): void;
  /** Bytes of the online server, or (`undefined`) that so many are missing. */
  serverBytes(bytes: Uint8Array | undefined, offset: number, length: number, time: Instant): void;
  /** The online server has closed, or no more is captured of it. */
  onlineEnded(time: Instant): void;
  /** The client is done. `ack`: its last ACK. */
  ended(end: ClientEnd, ack: SeqNum): void;
}

interface Kept {
  /** Of ours that it holds, bytes. */
  readonly size: number;
  readonly tell: (connection: CapturedEvents) => void;
}

/** Bytes of both halves in a row that found no place. */
class Lost implements Kept {
  readonly size = 0;
  readonly #why: Overflow;
  readonly #time: Instant;
  client = 0;
  server = 0;

  constructor(why: Overflow, time: Instant) {
    this.#why = why;
    this.#time = time;
  }

  readonly tell = (connection: CapturedEvents): void => {
    if (this.client > 0) connection.gap(this.client, this.#why);
    if (this.server > 0) connection.serverBytes(undefined, 0, this.server, this.#time);
  };
}

const BYTES_MAX = 16 << 20;
/** Each costs some 300 bytes beside those that it holds. */
const EVENTS_MAX = 16_384;
/** Share of a limit beyond which a recording is not read on. */
const CROWDED = 1 / 4;
const DONE: Kept = { size: 0, tell: () => undefined };

export class PluginBacklog implements CapturedEvents {
  readonly #context: ReplayContext;
  #kept: Kept[] = [];
  #head = 0;
  #bytes = 0;
  #crowded = false;

  /** The plugin begins to take its time. */
  constructor(context: ReplayContext) {
    this.#context = context;
    context.undecidedMessages++;
  }

  data(bytes: Uint8Array, offset: number, length: number, time: Instant, ack: SeqNum): void {
    const refused = this.#refuses(length);
    if (refused !== undefined) {
      this.#lost(refused, time).client += length;
      return;
    }
    const copy = copyOf(bytes, offset, length);
    this.#keep(length, (connection) => connection.data(copy, 0, length, time, ack));
  }

  gap(length: number): void {
    const last = this.#events >= EVENTS_MAX ? this.#kept[this.#kept.length - 1] : undefined;
    if (last instanceof Lost) last.client += length;
    else this.#keep(0, (connection) => connection.gap(length));
  }

  serverBytes(bytes: Uint8Array | undefined, offset: number, length: number, time: Instant): void {
    const refused = this.#refuses(bytes === undefined ? 0 : length);
    if (refused !== undefined) {
      this.#lost(refused, time).server += length;
      return;
    }
    const copy = bytes && copyOf(bytes, offset, length);
    this.#keep(copy === undefined ? 0 : length, (connection) => connection.serverBytes(copy, 0, length, time));
  }

  onlineEnded(time: Instant): void {
    this.#keep(0, (connection) => connection.onlineEnded(time));
  }

  ended(end: ClientEnd, ack: SeqNum): void {
    this.#keep(0, (connection) => connection.ended(end, ack));
  }

  /** The plugin has decided, or is not waited for any more. To be followed by `replay`. */
  over(): void {
    this.#context.undecidedMessages--;
  }

  /** Tells what was kept; once the connection waits for a plugin again, the rest is kept there. */
  replay(connection: CapturedEvents, waitsIn: () => PluginBacklog | undefined): void {
    while (this.#head < this.#kept.length) {
      const next = waitsIn();
      if (next !== undefined) {
        next.#takeOver(this);
        break;
      }
      const { size, tell } = this.#kept[this.#head]!;
      this.#kept[this.#head++] = DONE;
      this.#account(-size);
      tell(connection);
    }
  }

  /** What the backlog before this one has not told is told after what came first of all, its own. */
  #takeOver(before: PluginBacklog): void {
    const own = this.#kept.slice(this.#head);
    this.#kept = before.#kept;
    this.#head = before.#head;
    for (const event of own.reverse()) {
      if (this.#head > 0) this.#kept[--this.#head] = event;
      else this.#kept.unshift(event);
    }
    this.#head = compact(this.#kept, this.#head);
    const bytes = before.#bytes;
    before.#kept = [];
    before.#head = 0;
    before.#account(-bytes);
    this.#account(bytes);
  }

  #keep(size: number, tell: Kept['tell']): void {
    this.#kept.push({ size, tell });
    this.#account(size);
  }

  #refuses(length: number): Overflow | undefined {
    const full = this.#bytes + length > BYTES_MAX || this.#events >= EVENTS_MAX;
    return this.#context.budget.refuses(length, full);
  }

  /** The record of what is lost at the end, to be added to. */
  #lost(why: Overflow, time: Instant): Lost {
    const last = this.#events > 0 ? this.#kept[this.#kept.length - 1] : undefined;
    if (last instanceof Lost) return last;
    const lost = new Lost(why, time);
    this.#kept.push(lost);
    this.#account(0);
    return lost;
  }

  get #events(): number {
    return this.#kept.length - this.#head;
  }

  #account(bytes: number): void {
    this.#bytes += bytes;
    this.#context.budget.used += bytes;
    const crowded = this.#bytes > BYTES_MAX * CROWDED || this.#events > EVENTS_MAX * CROWDED;
    if (crowded === this.#crowded) return;
    this.#crowded = crowded;
    this.#context.crowdedReplicas += crowded ? 1 : -1;
  }
}
