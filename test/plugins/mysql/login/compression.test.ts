import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Decompressor } from '../../../../plugins/mysql/login/compression.ts';
import { byteByByte, cut } from '../../../support/codec-driving.ts';

function frame(body: Uint8Array, plainLength: number, sequence = 0): Uint8Array {
  const header = Buffer.alloc(7);
  header.writeUIntLE(body.length, 0, 3);
  header[3] = sequence;
  header.writeUIntLE(plainLength, 4, 3);
  return Buffer.concat([header, body]);
}

const stored = (plain: string): Uint8Array => frame(Buffer.from(plain), 0);
const deflated = (plain: Uint8Array): Uint8Array => frame(deflateSync(plain), plain.length);

function budget(limit = 1 << 20) {
  return { used: 0, limit };
}

function feed(reader: Decompressor, chunks: readonly Uint8Array[]): string {
  const plain: Buffer[] = [];
  for (const chunk of chunks) {
    // What lies around a push is none of it.
    const around = Buffer.concat([Buffer.from('xx'), chunk, Buffer.from('yyy')]);
    reader.push(around, 2, chunk.length);
    for (let bytes = reader.next(); bytes !== undefined; bytes = reader.next()) plain.push(Buffer.from(bytes));
  }
  return Buffer.concat(plain).toString('latin1');
}

describe('frames', () => {
  const long = Buffer.alloc(50_000, 'all work and no play ');
  const stream = Buffer.concat([stored('ab'), deflated(long), stored('c'), deflated(Buffer.from('d'))]);
  const plain = `ab${long.toString('latin1')}cd`;

  it('give their packets back, however they come', () => {
    const cuts = Array.from({ length: 40 }, (_, i) => i * 7);
    for (const chunks of [[stream], byteByByte(stream), cut(stream, cuts)]) {
      const held = budget();
      const reader = new Decompressor(held);
      expect(feed(reader, chunks)).toBe(plain);
      expect([reader.failure, reader.frames, reader.idle, held.used]).toEqual([undefined, 4, true, 0]);
    }
  });

  it('a frame of the longest there is', () => {
    const most = Buffer.alloc((1 << 24) - 1, 'abc');
    const reader = new Decompressor(budget());
    expect(feed(reader, [deflated(most)])).toBe(most.toString('latin1'));
  });

  it.each([
    ['is not zlib', frame(Buffer.from('no zlib'), 10), 'not-zlib'],
    ['is longer than said', frame(deflateSync(Buffer.alloc(1000)), 10), 'not-zlib'],
    ['is shorter than said', frame(deflateSync(Buffer.alloc(10)), 1000), 'not-zlib'],
    ['is empty', frame(new Uint8Array(0), 0), 'empty-compressed-frame'],
  ])('one that %s ends it', (_, bad, failure) => {
    const held = budget();
    const reader = new Decompressor(held);
    expect(feed(reader, [stored('ab'), bad, stored('never')])).toBe('ab');
    expect([reader.failure, held.used]).toEqual([failure, 0]);
  });

  it('limits: the length of a frame, before and after, and the memory of all', () => {
    const limited = (bytes: Uint8Array, held = budget()): [string | undefined, number] => {
      const reader = new Decompressor(held, 1000);
      feed(reader, byteByByte(bytes));
      return [reader.failure, held.used];
    };
    expect(limited(frame(Buffer.alloc(1001), 0))).toEqual(['compressed-frame-too-long', 0]);
    expect(limited(deflated(Buffer.alloc(1001)))).toEqual(['compressed-frame-too-long', 0]);
    expect(limited(deflated(Buffer.alloc(1000)))).toEqual([undefined, 0]);
    expect(limited(deflated(Buffer.alloc(1000)), budget(8))).toEqual(['no-memory-for-compressed', 0]);
  });

  it('what is held is given back at the end', () => {
    const held = budget();
    const reader = new Decompressor(held);
    feed(reader, [deflated(long).subarray(0, 20)]);
    expect([held.used, reader.idle]).toEqual([13, false]);
    reader.end();
    expect(held.used).toBe(0);
  });
});
