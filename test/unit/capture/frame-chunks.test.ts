import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CHUNK, FrameChunks, QUEUE_MAX } from '../../../src/capture/frame-chunks.ts';
import { RECORD_DROPS, RECORD_HEADER } from '../../../src/capture/pcap-record.ts';
import { instant } from '../../../src/core/time.ts';

/** What a chunk says: frames' first bytes, or how many were lost. */
function read(chunk: Uint8Array): string[] {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  const said: string[] = [];
  for (let at = 0; at < chunk.length;) {
    const [captured, length, flags] = [0, 4, 8].map((word) => view.getUint32(at + word, true));
    if (captured === RECORD_DROPS) said.push(`lost ${length}`);
    else said.push(`${chunk[at + RECORD_HEADER]} ${captured}/${length} ${flags} at ${view.getFloat64(at + 16, true)}`);
    at += RECORD_HEADER + (captured === RECORD_DROPS ? 0 : captured!);
  }
  return said;
}

describe('FrameChunks', () => {
  const sink = {
    writableLength: 0,
    written: [] as Uint8Array[],
    write: (chunk: Uint8Array) => sink.written.push(chunk),
  };
  let lost = 0;
  let chunks: FrameChunks;
  const add = (first: number, captured: number) => chunks.add(Buffer.alloc(CHUNK, first), captured, captured + 5, 4);
  const said = () => sink.written.splice(0).map(read);

  beforeEach(() => {
    vi.useFakeTimers();
    Object.assign(sink, { writableLength: 0, written: [] });
    lost = 0;
    const taken = () => [lost, (lost = 0)][0]!;
    chunks = new FrameChunks(sink, taken, () => instant(7));
    return () => vi.useRealTimers();
  });

  it('passes frames on at the end of the turn', () => {
    add(1, 10);
    add(2, 20);
    expect(said()).toEqual([]);
    vi.runAllTimers();
    expect(said()).toEqual([['1 10/15 4 at 7', '2 20/25 4 at 7']]);
    vi.runAllTimers();
    expect(said()).toEqual([]);
  });

  it('passes a chunk on when it is full', () => {
    for (const first of [1, 2, 3, 4]) add(first, CHUNK / 4 + 1_000);
    expect(said().map((each) => each.length)).toEqual([3]);
    chunks.flush();
    expect(said().map((each) => each.length)).toEqual([1]);
  });

  it('tells of losses before the frames that came since', () => {
    add(1, 10);
    lost = 3;
    add(2, 10);
    chunks.flush();
    lost = 2;
    chunks.flush();
    expect(said()).toEqual([['lost 3', '1 10/15 4 at 7', '2 10/15 4 at 7'], ['lost 2']]);
  });

  it('drops and counts what the reader does not keep up with', () => {
    sink.writableLength = QUEUE_MAX + 1;
    add(1, 10);
    add(2, 10);
    lost = 1;
    sink.writableLength = QUEUE_MAX;
    add(3, 10);
    chunks.flush();
    expect(said()).toEqual([['lost 3', '3 10/15 4 at 7']]);
  });
});
