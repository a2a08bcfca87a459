/**
 * A TCP server as simple as can be, to hold the session against. Streams are arrays indexed by position, received bytes
 * are ticked off one by one, everything unacknowledged is sent again on timeout. It shares nothing with `src/session`.
 */
import type { Packet } from '../packet-text.ts';

export interface ServerOptions {
  readonly isn: number;
  readonly mss: number;
  /** Receive buffer, bytes. */
  readonly window: number;
  /** -1: does not scale. */
  readonly windowShift: number;
  readonly sack: boolean;
  readonly timestamps: boolean;
  /** Microseconds by which an acknowledgement is late when nothing else calls for it; 0: at once. */
  readonly delayedAck: number;
  /** Bytes that the application reads every `readPause` microseconds; Infinity: all at once. */
  readonly readSize: number;
  readonly readPause: number;
  /** Bytes of the client's stream that will come: more is an error. */
  readonly expect: number;
  /** What our stream consists of, by position. */
  readonly byteAt: (position: number) => number;
  /** What the client's does. */
  readonly expectedByteAt: (position: number) => number;
}

const FIN = 1;
const SYN = 2;
const RST = 4;
const PSH = 8;
const ACK = 16;

const RTO_FIRST = 400_000;
const RTO_MAX = 5_000_000;
const IN_FLIGHT_MAX = 65_536;

export class ReferenceServer {
  /** Bytes of the client's stream that are here without a hole, and that the application has read. */
  received = 0;
  read = 0;
  peerFin = false;
  wasReset = false;
  established = false;
  /** Our stream: written by the application, acknowledged, and next to send. Position `written` may be the FIN's. */
  written = 0;
  finQueued = false;
  acknowledged = 0;
  finAcknowledged = false;
  readonly out: Packet[] = [];
  readonly #o: ServerOptions;
  readonly #have: Uint8Array;
  #clientIsn: number | undefined = undefined;
  #clientMss = 536;
  #clientShift = 0;
  #scaling = false;
  #sack = false;
  #timestamps = false;
  #timestampEcho = 0;
  #peerWindow = 0;
  #finAt = -1;
  #next = 0;
  /** The furthest `#next` has been: where bare acknowledgements stand. */
  #furthest = 0;
  #clock = 0;
  #duplicates = 0;
  #rto = RTO_FIRST;
  #retransmitAt = Infinity;
  #ackAt = Infinity;
  #readAt = Infinity;
  #announced = 0;

  constructor(options: ServerOptions) {
    this.#o = options;
    this.#have = new Uint8Array(options.expect + 1);
  }

  get timeout(): number {
    return Math.min(this.#retransmitAt, this.#ackAt, this.#readAt);
  }

  /** Everything sent was acknowledged and the client's FIN is here, or it was reset. */
  get done(): boolean {
    return this.wasReset || (this.peerFin && this.finAcknowledged);
  }

  write(length: number): void {
    this.written += length;
  }

  close(): void {
    this.finQueued = true;
  }

  /** After `receive`, `write`, `close` and `timedOut`. */
  flush(now: number): void {
    this.#clock = now;
    if (!this.established || this.wasReset) return;
    for (;;) {
      const limit = Math.min(this.written, this.acknowledged + Math.min(this.#peerWindow, IN_FLIGHT_MAX));
      const length = Math.min(limit - this.#next, this.#segmentSize());
      const fin = this.finQueued && !this.finAcknowledged && this.#next + Math.max(length, 0) === this.written;
      if (length <= 0 && !fin) break;
      this.#send(this.#next, Math.max(length, 0), fin);
      this.#next += Math.max(length, 0) + (fin ? 1 : 0);
      this.#furthest = Math.max(this.#furthest, this.#next);
      if (this.#retransmitAt === Infinity) this.#retransmitAt = now + this.#rto;
    }
  }

  timedOut(now: number): void {
    this.#clock = now;
    if (this.#readAt <= now) this.#readSome(now);
    if (this.#ackAt <= now) this.#acknowledge();
    if (this.#retransmitAt <= now) {
      this.#rto = Math.min(this.#rto * 2, RTO_MAX);
      this.#retransmitAt = now + this.#rto;
      if (!this.established) this.#sendSynAck();
      else this.#next = this.acknowledged;
    }
  }

  receive(packet: Packet, now: number): void {
    this.#clock = now;
    if (this.wasReset) return;
    if (packet.flags & SYN) {
      this.#receiveSyn(packet, now);
      return;
    }
    if (this.#clientIsn === undefined) return;
    const position = (packet.seq - this.#clientIsn - 1) | 0;
    if (packet.flags & RST) {
      if (position === this.received + (this.peerFin ? 1 : 0)) this.#reset();
      return;
    }
    if (!(packet.flags & ACK)) throw new Error('segment without ACK');
    if (packet.sack.length > 0 && !this.#sack) throw new Error('SACK was not agreed on');
    if (this.#timestamps !== (packet.timestamps !== undefined)) throw new Error('timestamps were (not) agreed on');
    if (this.#timestamps && position <= this.received) this.#timestampEcho = packet.timestamps!.value;
    this.#receiveAck(packet, now);
    const nothing = packet.payload.length === 0 && !(packet.flags & FIN);
    if (nothing) {
      // Out of place: a window probe or a keep-alive. The answer says where we are.
      if (position !== this.received + (this.peerFin ? 1 : 0) && position < this.received) this.#acknowledge();
      return;
    }
    this.#receiveText(packet, position, now);
  }

  #receiveSyn(packet: Packet, now: number): void {
    if (this.established) {
      this.#acknowledge();
      return;
    }
    if (this.#clientIsn !== undefined && packet.seq !== this.#clientIsn) throw new Error('another ISN');
    this.#clientIsn = packet.seq;
    this.#clientMss = packet.mss || 536;
    this.#scaling = packet.windowShift >= 0 && this.#o.windowShift >= 0;
    this.#clientShift = this.#scaling ? packet.windowShift : 0;
    this.#sack = this.#o.sack && packet.sackPermitted;
    this.#timestamps = this.#o.timestamps && packet.timestamps !== undefined;
    if (this.#timestamps) this.#timestampEcho = packet.timestamps!.value;
    this.#sendSynAck();
    if (this.#retransmitAt === Infinity) this.#retransmitAt = now + 1_000_000;
  }

  #receiveAck(packet: Packet, now: number): void {
    const acked = (packet.ack - this.#o.isn - 1) | 0;
    if (!this.established) {
      if (acked !== 0) return;
      this.established = true;
      this.#rto = RTO_FIRST;
      this.#retransmitAt = Infinity;
    }
    const finPosition = this.written + 1;
    if (acked > this.written + (this.finQueued ? 1 : 0)) throw new Error(`acknowledges ${acked}, never sent`);
    const progress = acked > this.acknowledged + (this.finAcknowledged ? 1 : 0);
    if (acked >= this.acknowledged) this.#peerWindow = packet.window * 2 ** this.#clientShift;
    if (progress) {
      this.#duplicates = 0;
      if (this.finQueued && acked === finPosition) this.finAcknowledged = true;
      this.acknowledged = Math.min(acked, this.written);
      this.#next = Math.max(this.#next, acked);
      this.#rto = RTO_FIRST;
      this.#retransmitAt = this.#next > acked ? now + this.#rto : Infinity;
    } else if (acked === this.acknowledged && packet.payload.length === 0 && this.#next > acked) {
      this.#duplicates++;
      if (this.#duplicates === 3) {
        const length = Math.min(this.#segmentSize(), this.written - acked);
        this.#send(acked, length, this.finQueued && acked + length === this.written && this.#next > this.written);
      }
    }
  }

  #receiveText(packet: Packet, position: number, now: number): void {
    const limit = this.read + this.#o.window;
    let fresh = false;
    packet.payload.forEach((byte, i) => {
      const at = position + i;
      if (at >= this.#o.expect) throw new Error(`byte ${at} beyond the stream`);
      if (byte !== this.#o.expectedByteAt(at)) throw new Error(`wrong byte at ${at}`);
      if (at >= 0 && at < limit && this.#have[at] === 0) {
        this.#have[at] = 1;
        fresh = true;
      }
    });
    if (packet.flags & FIN) {
      const at = position + packet.payload.length;
      if (this.#finAt >= 0 && this.#finAt !== at) throw new Error('the FIN moved');
      this.#finAt = at;
    }
    const before = this.received;
    while (this.#have[this.received] === 1) this.received++;
    const finNow = !this.peerFin && this.received === this.#finAt;
    if (finNow) this.peerFin = true;
    const early = this.received === before || this.#have.indexOf(1, this.received) >= 0;
    if (this.#o.readSize === Infinity) this.read = this.received;
    else if (this.#readAt === Infinity && this.read < this.received) this.#readAt = now + this.#o.readPause;
    if (this.#o.delayedAck === 0 || !fresh || early || finNow) this.#acknowledge();
    else if (this.#ackAt === Infinity) this.#ackAt = now + this.#o.delayedAck;
    else this.#acknowledge();
  }

  #readSome(now: number): void {
    this.read = Math.min(this.received, this.read + this.#o.readSize);
    this.#readAt = this.read < this.received ? now + this.#o.readPause : Infinity;
    const grown = this.read + this.#o.window - this.#announced;
    if (grown >= Math.min(this.#o.mss, this.#o.window / 2)) this.#acknowledge();
  }

  #reset(): void {
    this.wasReset = true;
    this.#retransmitAt = this.#ackAt = this.#readAt = Infinity;
  }

  #segmentSize(): number {
    return Math.min(this.#o.mss, this.#clientMss) - (this.#timestamps ? 12 : 0);
  }

  #window(): number {
    const free = this.#o.window - (this.received - this.read);
    this.#announced = this.received + free;
    return Math.min(65_535, Math.floor(free / 2 ** (this.#scaling ? this.#o.windowShift : 0)));
  }

  #acknowledge(): void {
    this.#ackAt = Infinity;
    this.#send(this.#furthest, 0, false);
  }

  #sendSynAck(): void {
    this.out.push({
      ...this.#packet(SYN | ACK, this.#o.isn, ((this.#clientIsn ?? 0) + 1) | 0),
      window: Math.min(65_535, this.#o.window),
      mss: this.#o.mss,
      sackPermitted: this.#sack,
      windowShift: this.#scaling ? this.#o.windowShift : -1,
    });
  }

  #send(position: number, length: number, fin: boolean): void {
    const ack = ((this.#clientIsn ?? 0) + 1 + this.received + (this.peerFin ? 1 : 0)) | 0;
    const packet = this.#packet(ACK | (fin ? FIN : 0), (this.#o.isn + 1 + position) | 0, ack);
    packet.payload = Uint8Array.from({ length }, (_, i) => this.#o.byteAt(position + i));
    if (length > 0 && position + length === this.written) packet.flags |= PSH;
    if (this.#sack) packet.sack = this.#sackBlocks();
    this.#ackAt = Infinity;
    this.out.push(packet);
  }

  #sackBlocks(): { start: number; end: number }[] {
    const blocks: { start: number; end: number }[] = [];
    for (let at = this.received; blocks.length < 3;) {
      const start = this.#have.indexOf(1, at);
      if (start < 0) break;
      let end = start;
      while (this.#have[end] === 1) end++;
      blocks.push({ start: (this.#clientIsn! + 1 + start) | 0, end: (this.#clientIsn! + 1 + end) | 0 });
      at = end;
    }
    return blocks;
  }

  #packet(flags: number, seq: number, ack: number): Packet {
    return {
      flags,
      seq,
      ack,
      window: this.#window(),
      payload: new Uint8Array(0),
      mss: 0,
      sackPermitted: false,
      windowShift: -1,
      timestamps: this.#timestamps
        ? { value: Math.floor(this.#clock / 1_000) | 0, echo: this.#timestampEcho }
        : undefined,
      sack: [],
      size: 0,
    };
  }
}
