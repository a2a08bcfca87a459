/**
 * `tcpcopy inspect`: a recording, read once in bounded memory, as one result per connection and an account of every
 * frame. What is held out of order is capped by the tracker; of finished connections only hashes and gaps stay, until
 * those before them are finished too.
 */
import { FileSource } from '../capture/file-source.ts';
import type { PacketSource } from '../capture/packet-source.ts';
import { Counters } from '../core/counters.ts';
import { DROP_NONE, DROP_REASONS, type DropReasonName } from '../core/drop-reason.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { FrameBatch } from '../core/frame-batch.ts';
import { ConnectionTracker } from '../reassembly/tracker.ts';
import { RECORDING_TRACKER, type TrackerCounter } from '../reassembly/tracker-options.ts';
import { FrameParser } from '../wire/frame-parser.ts';
import { Segment } from '../wire/segment.ts';
import { clientByContent } from './opening-content.ts';
import { ConnectionInspector, type InspectedConnection, type InspectionTracker } from './connection-inspector.ts';

export interface Inspection {
  readonly frames: number;
  /** Frames that were, or completed, a TCP segment. */
  readonly segments: number;
  readonly connections: number;
  /** The other frames, by reason. */
  readonly drops: Partial<Record<DropReasonName, number>>;
  readonly tracker: Partial<Record<TrackerCounter, number>>;
  /** What of the recording was not frames; empty when all was sound. */
  readonly unreadable: readonly { readonly bytes: number; readonly reason: string }[];
}

/** Inspects the file at `path`, or standard input for `-`. Throws when nothing of it is a sound recording. */
export async function inspectFile(path: string, report: (c: InspectedConnection) => void): Promise<Inspection> {
  const inspection = await inspectRecording(new FileSource(path), report);
  const [damage] = inspection.unreadable;
  if (inspection.frames === 0 && damage !== undefined) {
    throw new TcpcopyError('E_CAPTURE_FORMAT', `not one frame is readable: ${damage.reason}`, { where: path });
  }
  return inspection;
}

/** The same for any source of frames that ends. `report` is called in order of the connections' first packets. */
async function inspectRecording(
  source: PacketSource,
  report: (connection: InspectedConnection) => void,
): Promise<Inspection> {
  const reader = new RecordingReader(report);
  const failure = await readAll(source, (batch) => reader.take(batch));
  const { frames, unreadable } = source.stats();
  source.close();
  if (failure !== undefined && frames === 0) throw failure;
  reader.finish();
  const broken = failure === undefined ? [] : [{ bytes: 0, reason: failure.message }];
  return { frames, unreadable: [...unreadable, ...broken], ...reader.result() };
}

class RecordingReader {
  readonly #parser = new FrameParser({ verifyChecksums: true });
  readonly #segment = new Segment();
  readonly #tracker: InspectionTracker = new ConnectionTracker({
    ...RECORDING_TRACKER,
    clientOf: clientByContent,
  });
  readonly #inspector: ConnectionInspector;
  readonly #drops = new Counters<DropReasonName>(DROP_REASONS);

  constructor(report: (connection: InspectedConnection) => void) {
    this.#inspector = new ConnectionInspector(this.#tracker, report);
  }

  take(batch: FrameBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const reason = this.#parser.parse(batch, i, this.#segment);
      if (reason !== DROP_NONE) {
        this.#drops.add(reason);
        continue;
      }
      this.#tracker.handle(this.#segment);
      this.#inspector.drain();
    }
  }

  finish(): void {
    this.#tracker.finish();
    this.#inspector.drain();
  }

  result(): Pick<Inspection, 'segments' | 'connections' | 'drops' | 'tracker'> {
    return {
      segments: this.#tracker.counters.get('segments'),
      connections: this.#inspector.connections,
      drops: this.#drops.toJSON(),
      tracker: this.#tracker.counters.toJSON(),
    };
  }
}

/** Polls a source until it ends; resolves with the error it ended with, if any. */
function readAll(source: PacketSource, take: (batch: FrameBatch) => void): Promise<Error | undefined> {
  return new Promise((resolve, reject) => {
    const pump = () => {
      try {
        for (let batch = source.poll(); batch !== undefined; batch = source.poll()) take(batch);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    source.open({ ready: pump, ended: resolve }).catch(reject);
  });
}
