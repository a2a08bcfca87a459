/**
 * A conversation with one session: at time t this segment arrives, exactly these leave, nothing more.
 *
 *     const c = conversation();
 *     c.open().out('S 0:0(0) <mss 1460,sackOK,ws 3>');
 *     c.at(20).in('S. 0:0(0) ack 1 <mss 1460>').out('. 1:1(0) ack 1').events('connected');
 *
 * A large packet is written as its segments, with + between them. Times are milliseconds. Every step fails when packets left that no `out` named, so silence need not be asserted.
 * Payload is a pattern by stream position in both directions, checked on every packet and every EVENT_DATA. Both initial
 * sequence numbers lie close to a wrap.
 */
import { expect } from 'vitest';
import { PacketBatch } from '../../../src/core/packet-batch.ts';
import { seqNum } from '../../../src/core/seq-num.ts';
import { instant, NEVER, type Instant } from '../../../src/core/time.ts';
import { SendBufferPool } from '../../../src/session/send-buffer.ts';
import { sessionConfig, type SessionConfig } from '../../../src/session/session-config.ts';
import { EVENT_DATA, EVENT_NONE, SESSION_EVENT_NAMES } from '../../../src/session/session-event.ts';
import { Session } from '../../../src/session/session.ts';
import { TCP_STATE_NAMES } from '../../../src/session/tcp-state.ts';
import type { Segment } from '../../../src/wire/segment.ts';
import { decodeBytes, formatPacket, LOCAL, parseSegment, REMOTE, segmentsOf } from './packet-text.ts';
import { ourByte, peerByte } from './stream-bytes.ts';

export const ISS = 0xffff_ff00 | 0;
export const PEER_ISS = 0x7fff_fff0;
/** The clock does not begin at 0: nothing may depend on it. */
const EPOCH = 1_000_000_000;

export function conversation(options: Partial<SessionConfig> = {}): Conversation {
  return new Conversation(options);
}

export class Conversation {
  readonly config: SessionConfig;
  readonly session: Session;
  readonly pool: SendBufferPool;
  readonly states: string[] = [];
  readonly batch = new PacketBatch(256, 1 << 20);
  /** Bytes of our stream accepted so far; of the peer's stream handed out so far. */
  sentBytes = 0;
  receivedBytes = 0;
  #now = EPOCH;
  #out: { at: number; text: string }[] = [];
  #events: string[] = [];
  #withWindow = false;

  constructor(options: Partial<SessionConfig>) {
    this.pool = options.sendBuffer ?? new SendBufferPool({ limit: 4 << 20 });
    const trace = (from: number, to: number) => {
      if (this.states.length === 0) this.states.push(TCP_STATE_NAMES[from]!);
      this.states.push(TCP_STATE_NAMES[to]!);
    };
    this.config = sessionConfig({ trace, ...options, sendBuffer: this.pool });
    this.session = new Session(this.config, LOCAL, REMOTE, seqNum(ISS));
  }

  get now(): Instant {
    return instant(this.#now);
  }

  get state(): string {
    return TCP_STATE_NAMES[this.session.state]!;
  }

  /** Shows the window of each packet that leaves from here on. */
  showWindows(): this {
    this.#withWindow = true;
    return this;
  }

  /** Moves time on, firing timers when they are due. */
  at(milliseconds: number): this {
    this.nothing();
    const until = EPOCH + milliseconds * 1_000;
    expect(until, 'time goes forward').toBeGreaterThanOrEqual(this.#now);
    for (let turns = 0; ; turns++) {
      const due = this.session.pollTimeout();
      if (due === NEVER || due > until) break;
      expect(turns, 'timers come to rest').toBeLessThan(10_000);
      this.#now = Math.max(this.#now, due);
      this.session.handleTimeout(this.now);
      this.#settle();
      expect(this.session.pollTimeout(), 'a timer that fired is gone').toBeGreaterThan(this.#now);
    }
    this.#now = until;
    return this;
  }

  open(sendsFirst = false): this {
    this.nothing();
    this.session.open(this.now, sendsFirst);
    return this.#settle();
  }

  send(length: number): this {
    expect(this.trySend(length), 'bytes accepted').toBe(length);
    return this;
  }

  /** Sends what is accepted of `length` bytes, and says how much that was. */
  trySend(length: number): number {
    this.nothing();
    const bytes = Uint8Array.from({ length: length + 3 }, (_, i) => ourByte(this.sentBytes + i - 3));
    const accepted = this.session.send(bytes, 3, length);
    this.sentBytes += accepted;
    this.#settle();
    return accepted;
  }

  close(): this {
    this.nothing();
    this.session.close();
    return this.#settle();
  }

  abort(): this {
    this.nothing();
    this.session.abort();
    return this.#settle();
  }

  mtu(mtu: number): this {
    this.nothing();
    this.session.handleMtu(this.now, mtu);
    return this.#settle();
  }

  /** These segments arrive, one after the other; `change` edits each first. */
  in(text: string, change?: (segment: Segment) => void): this {
    this.nothing();
    const segment = parseSegment(text, PEER_ISS, ISS, peerByte);
    change?.(segment);
    this.session.handleSegment(this.now, segment);
    this.#settle();
    segment.bytes.fill(0xee);
    return this;
  }

  /** Exactly these have left since the last `out`; `@MS` in front says when. */
  out(...texts: string[]): this {
    const sent = this.#out.map((p, i) => (texts[i]?.startsWith('@') ? `@${(p.at - EPOCH) / 1_000} ${p.text}` : p.text));
    this.#out = [];
    expect(sent).toEqual(texts);
    return this;
  }

  nothing(): this {
    return this.out();
  }

  /** Exactly these events have come since the last `events`. */
  events(...names: string[]): this {
    const events = this.#events;
    this.#events = [];
    expect(events).toEqual(names);
    return this;
  }

  /** Whatever left and came is of no interest. */
  skip(): this {
    this.#out = [];
    this.#events = [];
    return this;
  }

  get left(): string[] {
    const texts = this.#out.map((p) => p.text);
    this.#out = [];
    return texts;
  }

  in_state(name: string): this {
    expect(this.state).toBe(name);
    return this;
  }

  /** To ESTABLISHED, with a round trip of 20 ms; `options` are those of the SYN-ACK. */
  established(options = 'mss 1460,sackOK,ws 0', window = 65_535): this {
    this.open().skip();
    this.at((this.#now - EPOCH) / 1_000 + 20);
    return this.in(`S. 0:0(0) ack 1 win ${window}${options === '' ? '' : ` <${options}>`}`).skip();
  }

  #settle(): this {
    for (let event = this.session.poll(); event !== EVENT_NONE; event = this.session.poll()) {
      let text: string = SESSION_EVENT_NAMES[event];
      if (event === EVENT_DATA) {
        const { bytes, offset, length, push } = this.session.received;
        text += ` ${length}${bytes === undefined ? ' missing' : ''}${push ? ' push' : ''}`;
        for (let i = 0; bytes !== undefined && i < length; i++) {
          if (bytes[offset + i] !== peerByte(this.receivedBytes + i)) throw new Error(`wrong byte at ${i} of ${text}`);
        }
        this.receivedBytes += length;
      }
      this.#events.push(text);
    }
    for (let n = 0; this.session.pollTransmit(this.now, this.batch); n++) {
      expect(n, 'packets in one go').toBeLessThan(10_000);
      const packets = segmentsOf(this.batch, this.batch.count - 1).map(decodeBytes);
      const texts = packets.map((packet) => {
        const position = ((packet.seq - ISS) | 0) - 1;
        packet.payload.forEach((byte, i) => {
          if (byte !== ourByte(position + i)) throw new Error(`wrong byte at ${position + i} of our stream`);
        });
        return formatPacket(packet, ISS, PEER_ISS, this.#withWindow);
      });
      this.#out.push({ at: this.#now, text: texts.join(' + ') });
      this.batch.clear();
    }
    return this;
  }
}
