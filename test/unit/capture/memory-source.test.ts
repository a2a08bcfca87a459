import { describe, expect, it } from 'vitest';
import { MemorySource, type MemoryFrame } from '../../../src/capture/memory-source.ts';
import { instant } from '../../../src/core/time.ts';

const frame = (n: number): MemoryFrame => ({ bytes: Uint8Array.of(n, n), time: instant(n) });

async function opened(source: MemorySource) {
  const events: string[] = [];
  await source.open({
    ready: () => events.push('ready'),
    ended: (e) => events.push(`ended ${e?.message ?? ''}`.trim()),
  });
  return events;
}

describe('MemorySource', () => {
  it('delivers frames in batches, then ends once', async () => {
    const source = new MemorySource([1, 2, 3].map(frame), { batchFrames: 2 });
    const events = await opened(source);
    source.stop();
    expect(source.poll()?.count).toBe(2);
    const last = source.poll()!;
    expect([last.count, last.bytes[0], last.time[0], last.linkType[0]]).toEqual([1, 3, 3, 1]);
    expect(events).toEqual(['ready', 'ready']);
    expect(source.poll()).toBeUndefined();
    expect(source.poll()).toBeUndefined();
    expect(events.at(-1)).toBe('ended');
    expect(events.filter((e) => e.startsWith('ended'))).toHaveLength(1);
    expect(source.stats().frames).toBe(3);
  });

  it('announces what is pushed, and ends with an error like a lost device', async () => {
    const source = new MemorySource();
    const events = await opened(source);
    expect(source.poll()).toBeUndefined();
    source.push(frame(9));
    source.end(new Error('gone'));
    source.push(frame(10));
    expect(source.poll()?.count).toBe(1);
    expect(source.poll()).toBeUndefined();
    expect(events).toEqual(['ready', 'ready', 'ended gone']);
  });

  it('spoils the bytes of a batch that was kept too long', async () => {
    const source = new MemorySource([frame(1), frame(2)], { batchFrames: 1 });
    await opened(source);
    const { bytes } = source.poll()!;
    source.poll();
    expect([...bytes]).toEqual([0, 0]);
  });
});
