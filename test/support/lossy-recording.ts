/** A copy of a recording that lacks some frames, as if the capture had lost them. */
import { writeFileSync } from 'node:fs';
import { instant } from '../../src/core/time.ts';
import { CaptureWriter } from '../../src/pcap/capture-writer.ts';
import { readFrames } from './read-frames.ts';

/**
 * Leaves out every `nth` frame with payload that goes to `port`. Returns the client ports of the connections that lack
 * something.
 */
export async function loseFrames(from: string, to: string, port: number, nth: number): Promise<ReadonlySet<number>> {
  let writer: CaptureWriter | undefined;
  const hit = new Set<number>();
  let count = 0;
  await readFrames(from, (batch, i, segment) => {
    writer ??= new CaptureWriter(batch.linkType[i]!);
    if (segment?.dstPort === port && segment.payloadLength > 0 && ++count % nth === 0) hit.add(segment.srcPort);
    else writer.add(batch.bytes, batch.offset[i]!, batch.captured[i]!, instant(batch.time[i]!), batch.length[i]!);
  });
  writeFileSync(to, writer!.take());
  return hit;
}
