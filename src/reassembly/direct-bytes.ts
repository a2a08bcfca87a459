/** Bytes of the segment being handled that continue a stream and are still to be handed out, out of the segment itself. */
import { TCP_PSH, type Segment } from '../wire/segment.ts';
import { CLIENT_TO_SERVER, type Half } from './connection.ts';
import type { Chunk } from './delivery.ts';

export class DirectBytes {
  half: Half = CLIENT_TO_SERVER;
  #segment: Segment | undefined = undefined;
  #offset = 0;
  #length = 0;
  #streamOffset = 0.5;

  constructor() {
    this.#streamOffset = 0;
  }

  /** `offset`: where in the segment's memory they begin. */
  set(half: Half, streamOffset: number, segment: Segment, offset: number, length: number): void {
    this.half = half;
    if (this.#segment !== segment) this.#segment = segment;
    this.#offset = offset;
    this.#length = length;
    this.#streamOffset = streamOffset;
  }

  fill(chunk: Chunk): void {
    const segment = this.#segment!;
    if (chunk.bytes !== segment.bytes) chunk.bytes = segment.bytes;
    chunk.offset = this.#offset;
    chunk.length = this.#length;
    chunk.streamOffset = this.#streamOffset;
    chunk.time = segment.time;
    chunk.push = (segment.flags & TCP_PSH) !== 0;
    chunk.peerAck = segment.ack;
  }
}
