/**
 * Takes frames from the sources and hands segments on. A busy source gives way to the sockets after a bounded number of
 * batches, and goes on in the next turn of the event loop.
 */
import type { PacketSource } from '../capture/packet-source.ts';
import { Counters } from '../core/counters.ts';
import { DROP_NONE, DROP_REASONS, type DropReason } from '../core/drop-reason.ts';
import type { FrameBatch } from '../core/frame-batch.ts';
import { Segment } from '../wire/segment.ts';

const POLLS_PER_TURN = 8;

/** What `FrameParser` does here. */
export interface SegmentParser {
  parse(batch: FrameBatch, index: number, segment: Segment): DropReason;
}

export interface SegmentHandler {
  /** `path` tells apart where a copy of a packet was captured; see `DuplicateFilter`. */
  segment(segment: Segment, path: number): void;
  /** A batch is done: send what it produced. */
  batchDone(): void;
  /** One source has ended, and how many are left. */
  sourceEnded(name: string, left: number, error: Error | undefined): void;
}

interface Input {
  readonly source: PacketSource;
  readonly parser: SegmentParser;
  readonly path: number;
  scheduled: NodeJS.Immediate | undefined;
  ended: boolean;
}

export class CaptureLoop {
  readonly frameDrops = new Counters(DROP_REASONS);
  frames = 0;
  segments = 0;
  readonly #inputs: Input[];
  readonly #handler: SegmentHandler;
  readonly #segment = new Segment();
  #allEnded: (() => void) | undefined;

  constructor(sources: readonly PacketSource[], makeParser: () => SegmentParser, handler: SegmentHandler) {
    this.#handler = handler;
    this.#inputs = sources.map((source, i) => ({
      source,
      parser: makeParser(),
      path: i * 2,
      scheduled: undefined,
      ended: false,
    }));
  }

  /** Opens all sources, or none. */
  async open(): Promise<void> {
    try {
      for (const input of this.#inputs) {
        await input.source.open({
          ready: () => this.#drain(input),
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
    for (const input of this.#inputs) {
      input.ended = true;
      clearImmediate(input.scheduled);
      input.source.close();
    }
  }

  /** Frames that the kernel dropped; sources that cannot tell count as 0. */
  kernelDropped(): number {
    return this.#inputs.reduce((sum, { source }) => sum + (source.stats().kernelDropped ?? 0), 0);
  }

  #drain(input: Input): void {
    if (input.scheduled !== undefined || input.ended) return;
    for (let polls = 0; polls < POLLS_PER_TURN; polls++) {
      const batch = input.source.poll();
      if (batch === undefined) return;
      this.#walk(batch, input);
    }
    input.scheduled = setImmediate(() => {
      input.scheduled = undefined;
      this.#drain(input);
    });
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
        this.#handler.segment(segment, segment.outgoing ? path + 1 : path);
      } else {
        this.frameDrops.add(reason);
      }
    }
    this.#handler.batchDone();
  }

  #end(input: Input, error: Error | undefined): void {
    if (input.ended) return;
    input.ended = true;
    const left = this.#inputs.filter((other) => !other.ended).length;
    if (left === 0) this.#allEnded?.();
    this.#handler.sourceEnded(input.source.name, left, error);
  }
}
