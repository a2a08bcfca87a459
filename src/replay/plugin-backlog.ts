/**
 * What comes for a connection while a plugin takes its time over one of its messages: kept in its order, and done once the
 * plugin has decided.
 */
import type { SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import type { ClientEnd } from './replica-owner.ts';

/** What a connection is told of as it is captured. Bytes are valid during the call. */
export interface CapturedEvents {
  /** Client bytes in order. `ack`: the client's ACK on the segment that brought them. */
  data(bytes: Uint8Array, offset: number, length: number, time: Instant, ack: SeqNum): void;
  /** Client bytes the capture does not have. */
  gap(length: number): void;
  /** Bytes of the online server, or (`undefined`) that so many are missing. */
  serverBytes(bytes: Uint8Array | undefined, offset: number, length: number, time: Instant): void;
  /** The online server has closed, or no more is captured of it. */
  onlineEnded(time: Instant): void;
  /** The client is done. `ack`: its last ACK. */
  ended(end: ClientEnd, ack: SeqNum): void;
}

export class PluginBacklog implements CapturedEvents {
  readonly #connection: CapturedEvents;
  readonly #kept: (() => void)[] = [];

  constructor(connection: CapturedEvents) {
    this.#connection = connection;
  }

  data(bytes: Uint8Array, offset: number, length: number, time: Instant, ack: SeqNum): void {
    const copy = bytes.slice(offset, offset + length);
    this.#kept.push(() => this.#connection.data(copy, 0, length, time, ack));
  }

  gap(length: number): void {
    this.#kept.push(() => this.#connection.gap(length));
  }

  serverBytes(bytes: Uint8Array | undefined, offset: number, length: number, time: Instant): void {
    const copy = bytes?.slice(offset, offset + length);
    this.#kept.push(() => this.#connection.serverBytes(copy, 0, length, time));
  }

  onlineEnded(time: Instant): void {
    this.#kept.push(() => this.#connection.onlineEnded(time));
  }

  ended(end: ClientEnd, ack: SeqNum): void {
    this.#kept.push(() => this.#connection.ended(end, ack));
  }

  /** Does what was kept; once the connection waits for a plugin again, the rest is kept there. */
  replay(waitsIn: () => PluginBacklog | undefined): void {
    for (const [i, event] of this.#kept.entries()) {
      const next = waitsIn();
      if (next !== undefined) {
        for (const rest of this.#kept.slice(i)) next.#kept.push(rest);
        return;
      }
      event();
    }
  }
}
