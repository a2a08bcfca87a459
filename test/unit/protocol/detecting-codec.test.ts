import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/core/time.ts';
import { DetectingCodec, type DetectableProtocol } from '../../../src/protocol/detecting-codec.ts';
import { OpaqueCodec } from '../../../src/protocol/opaque-codec.ts';

/** A protocol whose messages begin with `HI `; its codec says how it was begun. */
const greeting: DetectableProtocol = {
  detect(bytes, offset, length) {
    const text = new TextDecoder().decode(bytes.subarray(offset, offset + length));
    if (text.startsWith('HI ')) return 'yes';
    return 'HI '.startsWith(text) ? 'more' : 'no';
  },
  codec: (fromBoundary) =>
    Object.assign(new OpaqueCodec(true), { protocol: fromBoundary ? 'greeting' : 'greeting-seeking' }),
};

function push(codec: DetectingCodec, text: string, serverBytesSeen = 0): string {
  const bytes = new TextEncoder().encode(`..${text}`);
  codec.push({ bytes, offset: 2, length: text.length, time: instant(1), serverBytesSeen });
  const piece = codec.next();
  if (piece === undefined) return '-';
  return `${codec.protocol}:${new TextDecoder().decode(piece.bytes.subarray(piece.offset, piece.offset + piece.length))}`;
}

describe('seen from its SYN', () => {
  it('a connection is what its first bytes say, for good', () => {
    const codec = new DetectingCodec([greeting], true);
    expect(codec.protocol).toBe('unknown');
    expect(push(codec, 'HI you')).toBe('greeting:HI you');
    expect(push(codec, 'something else', 5)).toBe('greeting:something else');
  });

  it('or opaque when nobody knows them', () => {
    const codec = new DetectingCodec([greeting], true);
    expect(push(codec, 'QUIT')).toBe('opaque:QUIT');
    expect(push(codec, 'HI you', 5)).toBe('opaque:HI you');
  });

  it('the beginning of a beginning is believed', () => {
    const codec = new DetectingCodec([greeting], true);
    expect(push(codec, 'H')).toBe('greeting:H');
    expect(push(codec, 'I you')).toBe('greeting:I you');
  });

  it('the first protocol that says yes is taken', () => {
    const never: DetectableProtocol = { detect: () => 'no', codec: () => new OpaqueCodec(true) };
    expect(push(new DetectingCodec([never, greeting], true), 'HI you')).toBe('greeting:HI you');
  });
});

describe('picked up in the middle', () => {
  it('joins where a segment begins with something recognised, which the codec has to make sure of', () => {
    const codec = new DetectingCodec([greeting], false);
    expect(push(codec, 'rest of something')).toBe('-');
    expect(push(codec, 'H')).toBe('-');
    expect([codec.skippedBytes, codec.skippedMessages]).toEqual([18, 1]);
    expect(push(codec, 'HI you')).toBe('greeting-seeking:HI you');
  });

  it('joins at a turn, whatever begins there', () => {
    const codec = new DetectingCodec([greeting], false);
    expect(push(codec, 'rest')).toBe('-');
    expect(push(codec, 'QUIT', 9)).toBe('opaque:QUIT');
    const other = new DetectingCodec([greeting], false);
    expect(push(other, 'HI you', 9)).toBe('greeting:HI you');
  });
});

describe('a gap', () => {
  it('before the judgement takes the boundary away', () => {
    const codec = new DetectingCodec([greeting], true);
    expect(codec.gap(7)).toBe(false);
    expect(push(codec, 'QUIT')).toBe('-');
    expect([codec.skippedBytes, codec.skippedMessages]).toEqual([11, 1]);
    expect(push(codec, 'QUIT', 3)).toBe('opaque:QUIT');
  });

  it('after it is the codec’s affair, and what both skipped is added up', () => {
    const codec = new DetectingCodec([greeting], false);
    expect(push(codec, 'abc')).toBe('-');
    expect(push(codec, 'QUIT', 3)).toBe('opaque:QUIT');
    expect(codec.gap(10)).toBe(true);
    expect([codec.skippedBytes, codec.skippedMessages]).toEqual([13, 2]);
  });
});

it('tells the codec it has chosen of the end', () => {
  let ended = 0;
  const holding: DetectableProtocol = {
    detect: () => 'yes',
    codec: () => Object.assign(new OpaqueCodec(true), { end: () => void ended++ }),
  };
  const codec = new DetectingCodec([holding], true);
  codec.end();
  expect(ended).toBe(0);
  push(codec, 'x');
  codec.end();
  expect(ended).toBe(1);
});
