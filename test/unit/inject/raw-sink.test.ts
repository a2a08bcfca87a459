import { constants } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RawSink } from '../../../src/inject/raw-sink.ts';
import type { NativeAddon, NativeSender, SenderOptions } from '../../../src/native/addon.ts';
import { seqOf, watch, write } from './batches.ts';

const { EAGAIN, ENOBUFS, EMSGSIZE } = constants.errno;

/** A sender with the addon's contract, whose kernel does as `verdict` says: 0 sends, EAGAIN and ENOBUFS block. */
class FakeKernel {
  verdict: (seq: number) => number = () => 0;
  readonly sent: number[] = [];
  awaiting = 0;
  closed = false;
  options: SenderOptions | undefined;
  writable: () => void = () => undefined;

  addon(): NativeAddon {
    const open = (options: SenderOptions, writable: () => void): NativeSender => {
      this.options = options;
      this.writable = writable;
      return {
        sending:
          (...arrays) =>
          (first, end) =>
            this.send(...arrays, first, end),
        setNextHop: () => true,
        awaitWritable: () => this.awaiting++,
        close: () => (this.closed = true),
      };
    };
    class Sender {
      constructor(options: SenderOptions, writable: () => void) {
        Object.assign(this, open(options, writable));
      }
    }
    return {
      Sender,
      devices: () => [{ name: 'eth7', index: 7, type: 1, up: true, loopback: false }],
    } as unknown as NativeAddon;
  }

  send(
    bytes: Uint8Array,
    offset: Uint32Array,
    length: Uint32Array,
    _segment: Uint16Array,
    result: Int32Array,
    first: number,
    end: number,
  ) {
    const room = Math.floor((result.length - 2) / 3);
    result[0] = result[1] = 0;
    for (let i = first; i < end; i++) {
      const seq = seqOf(bytes.subarray(offset[i], offset[i]! + length[i]!));
      const errno = this.verdict(seq);
      if (errno === EAGAIN || errno === ENOBUFS) {
        result[0] = errno;
        return i;
      }
      if (errno === 0) this.sent.push(seq);
      else {
        result.set([i, errno, 1_400], 2 + 3 * result[1]!);
        result[1]!++;
        if (result[1] === room) return i + 1;
      }
    }
    return end;
  }
}

describe('RawSink', () => {
  let kernel: FakeKernel;
  let sink: RawSink;
  beforeEach(() => {
    kernel = new FakeKernel();
    sink = new RawSink(kernel.addon(), { mark: 3, device: 'eth7' });
  });
  afterEach(() => void vi.useRealTimers());

  it('sends the batch and empties it', async () => {
    await watch(sink);
    write(sink, 10);
    expect(sink.flush()).toBe(true);
    expect(kernel.sent).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(sink.batch.count).toBe(0);
    expect(sink.stats()).toEqual({ packets: 10, bytes: 400, failed: {} });
    expect(kernel.options).toEqual({ mark: 3, device: 7, bufferBytes: 0 });
  });

  it('keeps the rest in order while the socket is full', async () => {
    const { events } = await watch(sink);
    kernel.verdict = (seq) => (seq === 4 ? EAGAIN : 0);
    write(sink, 6);
    expect(sink.flush()).toBe(false);
    expect(sink.flush()).toBe(false);
    expect(kernel.awaiting).toBe(1);
    kernel.writable();
    expect([kernel.awaiting, events]).toEqual([2, []]);
    kernel.verdict = () => 0;
    kernel.writable();
    expect(events).toEqual(['writable']);
    expect(kernel.sent).toEqual([0, 1, 2, 3, 4, 5]);
    expect(sink.batch.count).toBe(0);
  });

  it('tries again after a moment when the device queue is full', async () => {
    vi.useFakeTimers();
    const { events } = await watch(sink);
    kernel.verdict = (seq) => (seq === 1 ? ENOBUFS : 0);
    write(sink, 2);
    expect(sink.flush()).toBe(false);
    expect(kernel.awaiting).toBe(0);
    vi.advanceTimersByTime(2);
    expect(events).toEqual([]);
    kernel.verdict = () => 0;
    vi.advanceTimersByTime(2);
    expect(events).toEqual(['writable']);
    expect(kernel.sent).toEqual([0, 1]);
  });

  it('reports every refused packet once and sends the others', async () => {
    const { failures } = await watch(sink);
    kernel.verdict = (seq) => (seq % 2 === 0 ? EMSGSIZE : 0);
    write(sink, 200); // more failures than one call can report
    expect(sink.flush()).toBe(true);
    expect(kernel.sent).toEqual(Array.from({ length: 100 }, (_, i) => 2 * i + 1));
    expect(failures.map((f) => f.offset)).toEqual(Array.from({ length: 100 }, (_, i) => 80 * i));
    expect(failures[0]).toEqual({ offset: 0, length: 40, code: 'EMSGSIZE', mtu: 1_400 });
    expect(sink.stats()).toEqual({ packets: 100, bytes: 4_000, failed: { EMSGSIZE: 100 } });
  });

  it('sends what waits when it is closed', async () => {
    await watch(sink);
    let refusals = 3;
    kernel.verdict = () => (refusals-- > 0 ? EAGAIN : 0);
    write(sink, 2);
    expect(sink.flush()).toBe(false);
    await sink.close();
    expect([kernel.sent, kernel.closed]).toEqual([[0, 1], true]);
  });

  it('says which devices there are when asked for another', async () => {
    const other = new RawSink(kernel.addon(), { device: 'eth8' });
    await expect(watch(other)).rejects.toMatchObject({ code: 'E_DEVICE', where: 'eth8', hint: 'devices here: eth7' });
  });
});
