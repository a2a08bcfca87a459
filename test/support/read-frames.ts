/** Every frame of a recording, with the TCP segment in it, if there is one. Both are valid during the call. */
import { FileSource } from '../../src/capture/file-source.ts';
import { DROP_NONE } from '../../src/core/drop-reason.ts';
import type { FrameBatch } from '../../src/core/frame-batch.ts';
import { FrameParser } from '../../src/wire/frame-parser.ts';
import { Segment } from '../../src/wire/segment.ts';

export async function readFrames(
  path: string,
  take: (batch: FrameBatch, i: number, segment: Segment | undefined) => void,
): Promise<void> {
  const parser = new FrameParser({ verifyChecksums: true });
  const segment = new Segment();
  const source = new FileSource(path);
  await new Promise<void>((resolve, reject) => {
    const ready = () => {
      for (let batch = source.poll(); batch !== undefined; batch = source.poll()) {
        for (let i = 0; i < batch.count; i++) {
          take(batch, i, parser.parse(batch, i, segment) === DROP_NONE ? segment : undefined);
        }
      }
    };
    source.open({ ready, ended: () => resolve() }).catch(reject);
  });
  source.close();
}
