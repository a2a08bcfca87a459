/**
 * What a recording run has in place of a target. Without plugins it takes the frames as they were captured and nothing
 * else is done with them; with plugins it takes what they made of the messages, and no frame.
 */
import { monotonicNow } from '../clock/clock.ts';
import { wallClock } from '../capture/wall-clock.ts';
import { pluginName } from '../config/config-file.ts';
import type { RecordOptions } from '../config/copy-options.ts';
import {
  DROP_IP_FRAGMENT_CAP,
  DROP_IP_FRAGMENT_HELD,
  DROP_IP_FRAGMENT_MALFORMED,
  DROP_NONE,
  type DropReason,
} from '../core/drop-reason.ts';
import type { FrameBatch } from '../core/frame-batch.ts';
import { RecordingFiles } from '../inject/recording-files.ts';
import type { RecordingFacts } from '../report/run-facts.ts';
import type { Segment } from '../wire/segment.ts';
import { ConversationRecorder } from './conversation-recorder.ts';
import { isLive } from './copy-input.ts';
import { DiscardingTarget } from './discarding-target.ts';
import { FrameRecorder } from './frame-recorder.ts';
import type { Observe } from './message-observer.ts';

/** Takes every frame from a source, with what was found in it. */
export type TakeFrame = (source: string, batch: FrameBatch, i: number, reason: DropReason, segment: Segment) => void;

/** Fragments are kept whatever they are of: the ports are known of the first only. */
const RECORDED: readonly DropReason[] = [
  DROP_NONE,
  DROP_IP_FRAGMENT_HELD,
  DROP_IP_FRAGMENT_MALFORMED,
  DROP_IP_FRAGMENT_CAP,
];

export class Recording {
  readonly target = new DiscardingTarget();
  /** One of these is set. */
  readonly takeFrame: TakeFrame | undefined;
  readonly observe: Observe | undefined;
  readonly #files: RecordingFiles;

  constructor(options: RecordOptions, version: string) {
    const { recording, plugins } = options;
    const names = plugins.map(({ plugin }) => pluginName(plugin));
    this.#files = new RecordingFiles({
      ...recording,
      application: `tcpcopy ${version}`,
      comment:
        names.length === 0
          ? 'Frames as they were captured.'
          : `Connections as plugins left them (${names.join(', ')}): client data is segmented anew, of the server only ` +
            'the lengths are recorded.',
      clock: monotonicNow,
      // The times of a recording that is read are written as they are.
      unix: isLive(options) ? (time) => wallClock.toUnix(time) : (time) => time,
    });
    if (plugins.length === 0) {
      const frames = new FrameRecorder(this.#files);
      this.takeFrame = (source, batch, i, reason, segment) => {
        if (RECORDED.includes(reason)) frames.record(source, batch, i, reason, segment);
      };
    } else {
      const conversations = new ConversationRecorder(this.#files);
      this.observe = (info) => conversations.observe(info);
    }
  }

  /** Throws when the file cannot be written. */
  open(): void {
    this.#files.open();
  }

  /** To be called every now and then. Returns why nothing can be written any more. */
  tick(): Error | undefined {
    wallClock.look();
    this.#files.tick();
    return this.#files.failure;
  }

  /** Likewise. */
  close(): Error | undefined {
    this.#files.close();
    return this.#files.failure;
  }

  facts(): RecordingFacts {
    return { asCaptured: this.takeFrame !== undefined, ...this.#files.stats() };
  }
}
