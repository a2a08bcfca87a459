import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTcpOptions, TcpOptions } from '../../../src/wire/tcp-options.ts';
import {
  padOptions,
  putMss,
  putSackPermitted,
  putTimestamps,
  putWindowScale,
} from '../../../src/wire/tcp-options-writer.ts';
import { bytes, concat, header, LINKTYPE_RAW, packet, parserOf, text, u32 } from './frames.ts';

/** Through a real segment, so that offset and length are those of the parser. */
function read(options: Uint8Array): TcpOptions {
  const padded = concat(options, new Uint8Array(-options.length & 3));
  const { segment } = parserOf().parse(packet(text('data'), header({}, padded)), { linkType: LINKTYPE_RAW });
  const out = new TcpOptions();
  parseTcpOptions(segment, out);
  return out;
}

describe('options written and read', () => {
  it('a SYN of the usual kind', () => {
    const h = header();
    let n = putMss(h.options, 0, 1460);
    n = putSackPermitted(h.options, n);
    n = putTimestamps(h.options, n, 0xfedc_ba98, 0x0102_0304);
    n = putWindowScale(h.options, n, 7);
    h.optionsLength = padOptions(h.options, n);
    expect(h.optionsLength).toBe(20);
    expect(read(h.options.slice(0, h.optionsLength))).toMatchObject({
      mss: 1460,
      sackPermitted: true,
      windowShift: 7,
      hasTimestamps: true,
      timestampValue: 0xfedc_ba98 | 0,
      timestampEcho: 0x0102_0304,
      malformed: false,
    });
  });

  it('timestamps of any value', () => {
    const word = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
    fc.assert(
      fc.property(word, word, (value, echo) => {
        const options = new Uint8Array(12);
        padOptions(options, putTimestamps(options, 0, value, echo));
        expect(read(options)).toMatchObject({ timestampValue: value, timestampEcho: echo });
      }),
    );
  });
});

describe('parseTcpOptions', () => {
  it('tells absence from zero', () => {
    expect(read(bytes())).toMatchObject({ mss: 0, windowShift: -1, sackPermitted: false, hasTimestamps: false });
    expect(read(bytes(3, 3, 0))).toMatchObject({ windowShift: 0 });
  });

  it('reads SACK blocks, four at most', () => {
    const blocks = [1, 2, 3, 4].map((n) => concat(u32(n * 100), u32(n * 100 + 50)));
    const out = read(concat(bytes(1, 1, 5, 34), ...blocks));
    expect(out.sackBlocks).toBe(4);
    expect([...out.sackStart]).toEqual([100, 200, 300, 400]);
    expect([...out.sackEnd]).toEqual([150, 250, 350, 450]);
  });

  it('takes a window shift beyond 14 as 14 (RFC 7323 §2.3)', () => {
    expect(read(bytes(3, 3, 200)).windowShift).toBe(14);
  });

  it('stops at the end of the list', () => {
    expect(read(bytes(0, 2, 4, 5, 180, 0, 0, 0))).toMatchObject({ mss: 0, malformed: false });
  });

  it('skips unknown options and known ones of a wrong length', () => {
    expect(read(bytes(30, 4, 9, 9, 2, 3, 1, 4, 5, 0, 0, 0, 8, 2))).toMatchObject({ mss: 0, sackPermitted: false });
    expect(read(bytes(254, 2, 2, 4, 5, 0xb4)).mss).toBe(1460);
  });

  it.each([
    ['length 0', bytes(2, 4, 5, 0xb4, 8, 0, 3, 3)],
    ['length 1', bytes(2, 4, 5, 0xb4, 8, 1, 3, 3)],
    ['beyond the header', bytes(2, 4, 5, 0xb4, 3, 3, 2, 8, 10, 0, 0, 0)],
    ['a kind without a length', bytes(2, 4, 5, 0xb4, 1, 1, 1, 8)],
  ])('ends the walk at a malformed option and keeps what came before: %s', (_, options) => {
    expect(read(options)).toMatchObject({ mss: 1460, malformed: true, hasTimestamps: false });
  });

  it('forgets the segment before', () => {
    const { parse } = parserOf();
    const out = new TcpOptions();
    const full = packet(text(''), header({}, bytes(2, 4, 5, 0xb4, 3, 3, 7, 1, 4, 2, 1, 1)));
    parseTcpOptions(parse(full, { linkType: LINKTYPE_RAW }).segment, out);
    parseTcpOptions(parse(packet(), { linkType: LINKTYPE_RAW }).segment, out);
    expect(out).toEqual(new TcpOptions());
  });
});
