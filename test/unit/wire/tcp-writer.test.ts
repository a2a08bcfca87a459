import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seqNum } from '../../../src/core/seq-num.ts';
import { sumBytes } from '../../../src/wire/checksum.ts';
import { CHECKSUM_GOOD } from '../../../src/wire/segment.ts';
import { headersLength, TcpHeader, writeTcpPacket } from '../../../src/wire/tcp-writer.ts';
import { addressFrom, header, LINKTYPE_RAW, packet, parserOf, payloadOf, setAddresses, text } from './frames.ts';

const word = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const port = fc.nat(0xffff);

const anyHeader = fc
  .record({
    v6: fc.boolean(),
    source: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    destination: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    srcPort: port,
    dstPort: port,
    seq: word,
    ack: word,
    flags: fc.nat(0xff),
    window: port,
    urgentPointer: port,
    optionWords: fc.nat(10),
    identification: port,
  })
  .map(({ v6, source, destination, optionWords, seq, ack, ...rest }) => {
    const h = Object.assign(new TcpHeader(), rest, { ipVersion: v6 ? 6 : 4, seq: seqNum(seq), ack: seqNum(ack) });
    setAddresses(h, addressFrom(...source.slice(0, v6 ? 16 : 4)), addressFrom(...destination.slice(0, v6 ? 16 : 4)));
    h.optionsLength = 4 * optionWords;
    h.options.fill(1, 0, h.optionsLength);
    return h;
  });

describe('writeTcpPacket', () => {
  it('writes what the parser reads back, with a good checksum, from any place in the payload', () => {
    const { parser, parse } = parserOf();
    fc.assert(
      fc.property(anyHeader, fc.uint8Array({ maxLength: 100 }), fc.nat(40), (h, payload, skip) => {
        const from = Math.min(skip, payload.length);
        const memory = new Uint8Array(headersLength(h) + payload.length + 9);
        const length = writeTcpPacket(memory, new DataView(memory.buffer), 5, h, payload, from, payload.length - from);
        expect(length).toBe(headersLength(h) + payload.length - from);
        const { drop, segment } = parse(memory.slice(5, 5 + length), { linkType: LINKTYPE_RAW });
        expect(drop).toBe(0);
        expect(segment).toMatchObject({
          ipVersion: h.ipVersion,
          src0: h.src0,
          src1: h.src1,
          src2: h.src2,
          src3: h.src3,
          dst0: h.dst0,
          dst1: h.dst1,
          dst2: h.dst2,
          dst3: h.dst3,
          srcPort: h.srcPort,
          dstPort: h.dstPort,
          seq: h.seq,
          ack: h.ack,
          flags: h.flags,
          window: h.window,
          urgentPointer: h.urgentPointer,
          optionsLength: h.optionsLength,
          payloadMissing: 0,
          checksum: CHECKSUM_GOOD,
        });
        const start = segment.payloadOffset;
        expect(segment.bytes.slice(start, start + segment.payloadLength)).toEqual(payload.slice(from));
        expect(memory.subarray(0, 5)).toEqual(new Uint8Array(5));
        expect(memory.subarray(5 + length)).toEqual(new Uint8Array(memory.length - 5 - length));
      }),
      { numRuns: 500 },
    );
    expect(parser.fragments.pending).toBe(0);
  });

  it('overwrites whatever the arena held before', () => {
    const h = header({}, Uint8Array.of(1, 1, 1, 1));
    const clean = packet(text('x'), h);
    const dirty = new Uint8Array(clean.length).fill(0xa5);
    writeTcpPacket(dirty, new DataView(dirty.buffer), 0, h, text('x'), 0, 1);
    expect(dirty).toEqual(clean);
  });

  it('gives IPv4 a right header checksum and forbids fragmenting', () => {
    const bytes = packet(text('abc'), header({ identification: 0xbeef, ttl: 7 }));
    const view = new DataView(bytes.buffer);
    expect(sumBytes(view, 0, 20)).toBe(0xffff);
    expect(view.getUint16(4)).toBe(0xbeef);
    expect(view.getUint16(6)).toBe(0x4000);
    expect(bytes[8]).toBe(7);
  });

  it('writes a segment without payload', () => {
    const bytes = packet(text(''));
    expect(bytes.length).toBe(40);
    const { segment } = parserOf().parse(bytes, { linkType: LINKTYPE_RAW });
    expect(segment.sentLength).toBe(0);
    expect(segment.checksum).toBe(CHECKSUM_GOOD);
  });

  it('keeps a payload of the largest size whole', () => {
    const payload = new Uint8Array(65_535 - 40).map((_, i) => i % 251);
    const { segment } = parserOf().parse(packet(payload), { linkType: LINKTYPE_RAW });
    expect(segment.checksum).toBe(CHECKSUM_GOOD);
    expect(payloadOf(segment)).toBe(new TextDecoder().decode(payload));
  });
});
