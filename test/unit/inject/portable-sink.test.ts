import { describe, expect, it } from 'vitest';
import { PortableSink } from '../../../src/inject/portable-sink.ts';
import type { RawSocket, RawSocketModule } from '../../../src/inject/raw-socket-module.ts';
import { seqOf, watch, write } from './batches.ts';

/** `raw-socket` as far as it is used: packets leave when it is told so, errors have no code. */
class FakeModule implements RawSocketModule {
  readonly sent: string[] = [];
  readonly options: number[][] = [];
  refuse: (seq: number) => string | undefined = () => undefined;

  createSocket({ addressFamily }: { addressFamily: number }): RawSocket {
    let queued: (() => void) | undefined;
    return {
      send: (buffer, offset, length, address, done) => {
        expect(queued).toBeUndefined();
        queued = () => {
          const seq = seqOf(buffer.subarray(offset, offset + length));
          const text = this.refuse(seq);
          if (text === undefined) this.sent.push(`${address} ${seq}`);
          done(text === undefined ? null : new Error(text), length);
        };
      },
      onSendReady: () => {
        const send = queued;
        queued = undefined;
        send?.();
      },
      setOption: (level, option, value) => this.options.push([addressFamily, level, option, value]),
      pauseRecv: () => undefined,
      on: () => undefined,
      close: () => undefined,
    };
  }
}

const setup = async () => {
  const module = new FakeModule();
  const sink = new PortableSink(module);
  const { events, failures } = await watch(sink);
  const writable = async () => {
    const before = events.length;
    while (events.length === before) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  return { module, sink, events, failures, writable };
};

describe('PortableSink', () => {
  it('sends all packets at once, in order, of both families', async () => {
    const { module, sink } = await setup();
    write(sink, 2);
    write(sink, 1, 'fd00::1', 2);
    expect(sink.flush()).toBe(true);
    expect(module.sent).toEqual(['10.0.0.1 0', '10.0.0.1 1', 'fd00::1 2']);
    expect(sink.batch.count).toBe(0);
    expect(sink.stats()).toEqual({ packets: 3, bytes: 140, failed: {} });
    expect(sink.flush()).toBe(true);
    await sink.close();
  });

  it('tries a packet again in its place when a buffer is full', async () => {
    const { module, sink, failures, writable } = await setup();
    let full = 3;
    module.refuse = (seq) => (seq === 1 && full-- > 0 ? 'No buffer space available' : undefined);
    write(sink, 3);
    expect(sink.flush()).toBe(false);
    expect(sink.flush()).toBe(false);
    expect(module.sent).toEqual(['10.0.0.1 0']);
    await writable();
    expect(module.sent).toEqual(['10.0.0.1 0', '10.0.0.1 1', '10.0.0.1 2']);
    expect(sink.batch.count).toBe(0);
    expect(failures).toEqual([]);
    await sink.close();
  });

  it('names the errors of refused packets and goes on', async () => {
    const { module, sink, failures } = await setup();
    module.refuse = (seq) => (seq === 0 ? 'Message too long' : undefined);
    write(sink, 2);
    sink.batch.bytes.set([1, 2, 3], sink.batch.reserve(3));
    sink.batch.commit(3);
    expect(sink.flush()).toBe(true);
    expect(module.sent).toEqual(['10.0.0.1 1']);
    expect(failures.map((f) => [f.code, f.offset])).toEqual([
      ['EMSGSIZE', 0],
      ['EINVAL', 80],
    ]);
    await sink.close();
  });

  it('sends what waits when it is closed', async () => {
    const { module, sink } = await setup();
    let full = 2;
    module.refuse = (seq) => (seq === 10 && full-- > 0 ? 'Resource temporarily unavailable' : undefined);
    write(sink, 20);
    sink.flush();
    await sink.close();
    expect(module.sent).toHaveLength(20);
  });
});
