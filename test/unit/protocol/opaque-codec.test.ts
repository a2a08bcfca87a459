import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/core/time.ts';
import { OpaqueCodec } from '../../../src/protocol/opaque-codec.ts';

/** Pushes bytes and tells what came out: `^` begins a message, the number is what it answers. */
function push(codec: OpaqueCodec, text: string, serverBytesSeen = 0): string {
  const bytes = new TextEncoder().encode(`..${text}..`);
  codec.push({ bytes, offset: 2, length: text.length, time: instant(42), serverBytesSeen });
  const piece = codec.next();
  expect(codec.next()).toBeUndefined();
  if (piece === undefined) return '-';
  expect(piece.last).toBe(false);
  expect(piece.time).toBe(42);
  const content = new TextDecoder().decode(piece.bytes.subarray(piece.offset, piece.offset + piece.length));
  return `${piece.first ? '^' : ''}${content}${piece.answers > 0 ? `(${piece.answers})` : ''}`;
}

describe('from the SYN on', () => {
  it('the first byte begins a message, and so does the first after each response', () => {
    const codec = new OpaqueCodec(true);
    expect(push(codec, 'a')).toBe('^a');
    expect(push(codec, 'b')).toBe('b');
    expect(push(codec, 'c', 10)).toBe('^c(10)');
    expect(push(codec, 'd')).toBe('d');
    expect([codec.skippedBytes, codec.skippedMessages]).toEqual([0, 0]);
  });

  it('the first message may answer a greeting', () => {
    expect(push(new OpaqueCodec(true), 'login', 80)).toBe('^login(80)');
  });
});

describe('picked up in the middle', () => {
  it('skips to the first data after a response', () => {
    const codec = new OpaqueCodec(false);
    expect(push(codec, 'half')).toBe('-');
    expect(push(codec, 'rest')).toBe('-');
    expect([codec.skippedBytes, codec.skippedMessages]).toEqual([8, 1]);
    expect(push(codec, 'next', 3)).toBe('^next(3)');
    expect(push(codec, '+')).toBe('+');
    expect([codec.skippedBytes, codec.skippedMessages]).toEqual([8, 1]);
  });

  it('skips nothing when a response came first', () => {
    const codec = new OpaqueCodec(false);
    expect(push(codec, 'next', 3)).toBe('^next(3)');
    expect(codec.skippedMessages).toBe(0);
  });
});

describe('a gap', () => {
  it('breaks the open message and skips to the next turn', () => {
    const codec = new OpaqueCodec(true);
    push(codec, 'begin');
    expect(codec.gap(100)).toBe(true);
    expect(push(codec, 'rest')).toBe('-');
    expect([codec.skippedBytes, codec.skippedMessages]).toEqual([104, 1]);
    expect(push(codec, 'next', 1)).toBe('^next(1)');
  });

  it('before any message breaks none', () => {
    const codec = new OpaqueCodec(true);
    expect(codec.gap(100)).toBe(false);
    expect(push(codec, 'rest')).toBe('-');
  });

  it('after another adds to the same stretch', () => {
    const codec = new OpaqueCodec(true);
    push(codec, 'begin');
    expect(codec.gap(1)).toBe(true);
    push(codec, 'rest');
    expect(codec.gap(1)).toBe(false);
    expect([codec.skippedBytes, codec.skippedMessages]).toEqual([6, 1]);
    push(codec, 'next', 1);
    expect(codec.gap(1)).toBe(true);
    expect(codec.skippedMessages).toBe(2);
  });
});

describe('whatever comes', () => {
  const events = fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.record({ length: fc.integer({ min: 1, max: 9 }), seen: fc.constantFrom(0, 0, 5) }) },
      { weight: 1, arbitrary: fc.record({ gap: fc.integer({ min: 1, max: 9 }) }) },
    ),
    { maxLength: 40 },
  );

  it('every byte is in a piece or skipped, and every piece belongs to a message', () => {
    fc.assert(
      fc.property(fc.boolean(), events, (fromSyn, script) => {
        const codec = new OpaqueCodec(fromSyn);
        let [bytes, pieces] = [0, 0];
        let open = false;
        for (const event of script) {
          if ('gap' in event) {
            bytes += event.gap;
            expect(codec.gap(event.gap)).toBe(open);
            open = false;
            continue;
          }
          bytes += event.length;
          const out = push(codec, 'x'.repeat(event.length), event.seen);
          if (out !== '-') pieces += event.length;
          if (out.startsWith('x')) expect(open).toBe(true);
          if (out.startsWith('^')) open = true;
          expect(codec.skippedBytes + pieces).toBe(bytes);
        }
      }),
      { numRuns: 300 },
    );
  });
});

it('a message is not over because one before it was made so', () => {
  const codec = new OpaqueCodec(true);
  codec.push({ bytes: new Uint8Array(1), offset: 0, length: 1, time: instant(42), serverBytesSeen: 0 });
  codec.next()!.last = true;
  expect(push(codec, 'next', 3)).toBe('^next(3)');
});
