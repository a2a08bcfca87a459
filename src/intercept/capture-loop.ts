/**
 * Takes frames from the sources and hands segments on, in turns. A busy source gives way to the sockets after a bounded
 * number of batches, and goes on in the next turn of the event loop. A turn over live sources that did something is
 * followed by a rest, so that responses gather, unless a tcpcopy is in a hurry for them.
 */
import type { PacketSource } from '../capture/packet-source.ts';
import { WakeModeration } from '../capture/wake-moderation.ts';
import { Counters } from '../core/counters.ts';
import { DROP_NONE, DROP_REASONS, type DropReason } from '../core/drop-reason.ts';
import type { FrameBatch } from '../core/frame-batch.ts';
import { Segment, TCP_SYN } from '../wire/segment.ts';

const POLLS_PER_TURN = 8;
/** While sessions are being opened, whose first requests wait for the answer, milliseconds. */
const SHORT_REST = 1.25;

/** What `FrameParser` does here. */
export interface SegmentParser {
  parse(batch: FrameBatch, index: number, segment: Segment): DropReason;
}

export interface SegmentHandler {
  /** `path` tells apart where a copy of a packet was captured; see `DuplicateFilter`. */
  segment(segment: Segment, path: number): void;
  /** A turn is done: send what it produced. Returns whether the sockets have taken all of it. */
  turnDone(): boolean;
  /** One source has ended, and how many are left. */
  sourceEnded(name: string, left: number, error: Error | undefined): void;
}

interface Input {
  readonly source: PacketSource;
  readonly parser: SegmentParser;
  readonly path: number;
  ready: boolean;
  ended: boolean;
}

export class CaptureLoop {
  readonly frameDrops = new Counters(DROP_REASONS);
  /** No rests: somebody waits for the responses. */
  hurry = false;
  frames = 0;
  segments = 0;
  readonly #inputs: Input[];
  readonly #handler: SegmentHandler;
  readonly #segment = new Segment();
  readonly #moderation = new WakeModeration();
  readonly #turn = (): void => this.#takeTurns();
  #scheduled: NodeJS.Immediate | undefined;
  /** A session was accepted in this turn. */
  #sawHandshake = false;
  #allEnded: (() => void) | undefined;

  constructor(sources: readonly PacketSource[], makeParser: () => SegmentParser, handler: SegmentHandler) {
    this.#handler = handler;
    this.#inputs = sources.map((source, i) => ({
      source,
      parser: makeParser(),
      path: i * 2,
      ready: false,
      ended: false,
    }));
  }

  /** Opens all sources, or none. */
  async open(): Promise<void> {
    try {
      for (const input of this.#inputs) {
        await input.source.open({
          ready: () => {
            input.ready = true;
            this.#scheduled ??= setImmediate(this.#turn);
          },
          ended: (error) => this.#end(input, error),
        });
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Takes what the kernel still holds; resolves when the sources have ended or after `limit` milliseconds. */
  async stop(limit: number): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#allEnded = resolve;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limit);
    });
    for (const input of this.#inputs) if (!input.ended) input.source.stop();
    if (this.#inputs.some((input) => !input.ended)) await Promise.race([ended, late]);
    clearTimeout(timer);
  }

  close(): void {
    clearImmediate(this.#scheduled);
    for (const input of this.#inputs) {
      input.ended = true;
      input.source.close();
    }
  }

  /** Frames that the kernel dropped; sources that cannot tell count as 0. */
  kernelDropped(): number {
    return this.#inputs.reduce((sum, { source }) => sum + (source.stats().kernelDropped ?? 0), 0);
  }

  /** One turn, or several with rests between them, as long as there is nothing for the event loop to do. */
  #takeTurns(): void {
    this.#scheduled = undefined;
    this.#moderation.enter();
    while (this.#takeTurn() && this.#moderation.mayStay) {
      for (const input of this.#inputs) input.ready = true;
    }
  }

  /** Returns whether the next turn can follow at once: there was a rest, and all that may come can be seen from here. */
  #takeTurn(): boolean {
    this.#moderation.begin();
    const before = this.frames;
    this.#sawHandshake = false;
    let live = false;
    let polled = true;
    for (const input of this.#inputs) {
      polled &&= input.source.polled === true;
      if (!input.ready || input.ended) continue;
      input.ready = this.#drain(input);
      if (input.ready) this.#scheduled ??= setImmediate(this.#turn);
      live ||= input.source.live;
    }
    const sent = this.#handler.turnDone();
    if (!live || this.hurry || this.#scheduled !== undefined) return false;
    return this.#moderation.rest(this.frames - before, this.#sawHandshake ? SHORT_REST : undefined) && polled && sent;
  }

  /** Takes what a source has; returns whether it may have more. */
  #drain(input: Input): boolean {
    for (let polls = 0; polls < POLLS_PER_TURN; polls++) {
      const batch = input.source.poll();
      if (batch === undefined) return false;
      this.#walk(batch, input);
    }
    return true;
  }

  #walk(batch: FrameBatch, input: Input): void {
    const { parser, path } = input;
    const segment = this.#segment;
    const { count } = batch;
    this.frames += count;
    for (let i = 0; i < count; i++) {
      const reason = parser.parse(batch, i, segment);
      if (reason === DROP_NONE) {
        this.segments++;
        if ((segment.flags & TCP_SYN) !== 0) this.#sawHandshake = true;
        this.#handler.segment(segment, segment.outgoing ? path + 1 : path);
      } else {
        this.frameDrops.add(reason);
      }
    }
  }

  #end(input: Input, error: Error | undefined): void {
    if (input.ended) return;
    input.ended = true;
    const left = this.#inputs.filter((other) => !other.ended).length;
    if (left === 0) this.#allEnded?.();
    this.#handler.sourceEnded(input.source.name, left, error);
  }
}
