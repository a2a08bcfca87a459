/** What the addon's sender refuses; what it sends is in the tests of `--io`. Needs root. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PacketBatch } from '../../src/core/packet-batch.ts';
import {
  SEND_BLOCKED,
  SEND_FAILURE_WORDS,
  SEND_FAILURES,
  SEND_FIRST_FAILURE,
  type NativeSender,
} from '../../src/native/addon.ts';
import { loadNative } from '../../src/native/load.ts';
import { isRoot } from './io/lab.ts';

const { addon } = loadNative();

describe.skipIf(!isRoot || addon === undefined)('the sender', () => {
  const batch = new PacketBatch(4, 256);
  const result = new Int32Array(SEND_FIRST_FAILURE + SEND_FAILURE_WORDS * 2);
  let sender: NativeSender;

  beforeEach(() => {
    sender = new addon!.Sender({ mark: 0, device: 0, bufferBytes: 0 }, () => undefined);
    batch.clear();
  });
  afterEach(() => sender.close());

  const sending = (to = result) => sender.sending(batch.bytes, batch.offset, batch.length, batch.segment, to);

  it('reports what is no packet, in as many calls as the result has no room for', () => {
    const send = sending();
    for (let i = 0; i < 4; i++) batch.commit(8);
    expect(send(0, 0)).toBe(0);
    expect(send(0, 4)).toBe(2);
    expect([result[SEND_BLOCKED], result[SEND_FAILURES]]).toEqual([0, 2]);
    expect(result[SEND_FIRST_FAILURE + SEND_FAILURE_WORDS]).toBe(1);
    expect(send(2, 3)).toBe(3);
    expect([result[SEND_FAILURES], result[SEND_FIRST_FAILURE]]).toEqual([1, 2]);
  });

  it('refuses packets outside the batch', () => {
    const send = sending();
    expect(() => send(0, 5)).toThrow('packets outside the batch');
    expect(() => send(2, 1)).toThrow('packets outside the batch');
    expect(() => send('0' as never, 1)).toThrow();
  });

  it('refuses arrays of other types and lengths', () => {
    const { bytes, offset, length, segment } = batch;
    expect(() => sender.sending(bytes, offset, length.subarray(1), segment, result)).toThrow('different lengths');
    expect(() => sender.sending(bytes, offset, length, segment.subarray(1), result)).toThrow('different lengths');
    expect(() => sending(result.subarray(0, 4))).toThrow('different lengths');
    expect(() => sender.sending(bytes, offset, length, offset as never, result)).toThrow('Uint16Array');
    expect(() => sender.sending.call({}, bytes, offset, length, segment, result)).toThrow(TypeError);
  });

  it('sends nothing once it is closed', () => {
    const send = sending();
    sender.close();
    expect(() => send(0, 0)).toThrow('the sender is closed');
    sender = new addon!.Sender({ mark: 0, device: 0, bufferBytes: 0 }, () => undefined);
  });
});
