import { describe, expect, it } from 'vitest';
import { MemorySink } from '../../../src/inject/memory-sink.ts';
import { seqOf, watch, write } from './batches.ts';

describe('MemorySink', () => {
  it('keeps packets in order and empties the batch', async () => {
    const sink = new MemorySink();
    await watch(sink);
    write(sink, 3);
    expect(sink.flush()).toBe(true);
    expect(sink.packets.map(seqOf)).toEqual([0, 1, 2]);
    expect([sink.batch.count, sink.batch.used]).toEqual([0, 0]);
    expect(sink.stats()).toEqual({ packets: 3, bytes: 120, failed: {} });
  });

  it('holds the rest when it is full, and says when it is not any more', async () => {
    const sink = new MemorySink();
    const { events } = await watch(sink);
    sink.room = 2;
    write(sink, 5);
    expect(sink.flush()).toBe(false);
    expect(sink.flush()).toBe(false);
    sink.drain(2);
    expect(events).toEqual([]);
    sink.drain();
    expect(events).toEqual(['writable']);
    expect(sink.packets.map(seqOf)).toEqual([0, 1, 2, 3, 4]);
  });

  it('refuses what a test wants refused', async () => {
    const sink = new MemorySink();
    const { failures } = await watch(sink);
    sink.refuse = (packet) => (seqOf(packet) === 1 ? { code: 'EMSGSIZE', mtu: 600 } : undefined);
    write(sink, 3);
    expect(sink.flush()).toBe(true);
    expect(failures).toEqual([{ offset: 40, length: 40, code: 'EMSGSIZE', mtu: 600 }]);
    expect(sink.stats()).toEqual({ packets: 2, bytes: 80, failed: { EMSGSIZE: 1 } });
  });
});
