/** Writes down a tracker's events as short lines, so that a test reads like a conversation. */
import { formatEndpoint } from '../../src/core/ip-address.ts';
import { instant } from '../../src/core/time.ts';
import {
  EVENT_CLOSED,
  EVENT_DATA,
  EVENT_GAP,
  EVENT_HALF_CLOSED,
  EVENT_NONE,
  EVENT_OPENED,
  EVENT_REJECTED,
  EVENT_RESET,
} from '../../src/reassembly/delivery.ts';
import { ConnectionTracker } from '../../src/reassembly/tracker.ts';
import type { TrackerOptions } from '../../src/reassembly/tracker-options.ts';
import type { Segment } from '../../src/wire/segment.ts';

export class TrackerTranscript {
  readonly tracker: ConnectionTracker;

  constructor(options: TrackerOptions) {
    this.tracker = new ConnectionTracker(options);
  }

  /** What one segment gives rise to. Its bytes are overwritten afterwards: nothing may have kept a view. */
  handle(segment: Segment): string[] {
    this.tracker.handle(segment);
    const lines = this.#drain();
    segment.bytes.fill(0xdd);
    return lines;
  }

  /** The same for several, known to the tracker before the first is handled. */
  handleAll(segments: readonly Segment[]): string[] {
    this.tracker.expect(segments, segments.length);
    return segments.flatMap((segment, i) => {
      this.tracker.handleExpected(segment, i);
      return this.#drain();
    });
  }

  /** Milliseconds of the capture's clock. */
  advance(at: number): string[] {
    this.tracker.advance(instant(at * 1_000));
    return this.#drain();
  }

  finish(): string[] {
    this.tracker.finish();
    return this.#drain();
  }

  #drain(): string[] {
    const lines: string[] = [];
    for (let event = this.tracker.poll(); event !== EVENT_NONE; event = this.tracker.poll()) {
      lines.push(this.#line(event));
    }
    return lines;
  }

  #line(event: number): string {
    const { tracker } = this;
    const { connection, chunk, gap } = tracker;
    const way = tracker.half === 0 ? 'c2s' : 's2c';
    switch (event) {
      case EVENT_OPENED:
        return `#${connection!.index} opened ${connection!.openedBy} ${formatEndpoint(connection!.client)} > ${formatEndpoint(connection!.server)}`;
      case EVENT_DATA: {
        const bytes = chunk.bytes.subarray(chunk.offset, chunk.offset + chunk.length);
        return `${way} ${chunk.streamOffset} ${new TextDecoder('latin1').decode(bytes)}`;
      }
      case EVENT_GAP:
        return `${way} ${gap.offset} ${gap.kind} ${gap.length}`;
      case EVENT_HALF_CLOSED:
        return `${way} fin`;
      case EVENT_CLOSED:
        return `#${connection!.index} closed ${connection!.end}`;
      case EVENT_RESET:
        return `#${connection!.index} reset`;
      case EVENT_REJECTED:
        return 'rejected';
      default:
        return `unknown event ${event}`;
    }
  }
}
