/** The byte streams of recordings, up to their first gap, by their hash. */
import { createHash } from 'node:crypto';
import {
  EVENT_CLOSED,
  EVENT_DATA,
  EVENT_GAP,
  EVENT_NONE,
  EVENT_OPENED,
  EVENT_RESET,
} from '../../src/reassembly/delivery.ts';
import { RECORDING_TRACKER } from '../../src/reassembly/tracker-options.ts';
import { ConnectionTracker } from '../../src/reassembly/tracker.ts';
import { readFrames } from './read-frames.ts';

interface Half {
  readonly chunks: Uint8Array[];
  gap: boolean;
}

export async function captureStreams(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const streams = new Map<string, Uint8Array>();
  const tracker = new ConnectionTracker<[Half, Half]>(RECORDING_TRACKER);
  const drain = () => {
    for (let event = tracker.poll(); event !== EVENT_NONE; event = tracker.poll()) {
      const connection = tracker.connection;
      if (connection === undefined) continue;
      if (event === EVENT_OPENED) connection.user = [emptyHalf(), emptyHalf()];
      const half = connection.user?.[tracker.half];
      const { bytes, offset, length } = tracker.chunk;
      if (event === EVENT_DATA && half?.gap === false) half.chunks.push(bytes.slice(offset, offset + length));
      if (event === EVENT_GAP && half !== undefined) half.gap = true;
      if (event !== EVENT_CLOSED && event !== EVENT_RESET) continue;
      for (const { chunks } of connection.user ?? []) {
        const whole = Uint8Array.from(Buffer.concat(chunks));
        streams.set(createHash('sha256').update(whole).digest('hex'), whole);
      }
      connection.user = undefined;
    }
  };
  await readFrames(path, (_batch, _i, segment) => {
    if (segment === undefined) return;
    tracker.handle(segment);
    drain();
  });
  tracker.finish();
  drain();
  return streams;
}

function emptyHalf(): Half {
  return { chunks: [], gap: false };
}
