import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/core/time.ts';
import { HEADER_BYTES, RESPONSES } from '../../../src/control/protocol.ts';
import { ResponseReader } from '../../../src/control/response-reader.ts';
import { RECORD_ADDRESSES, ResponseWriter } from '../../../src/control/response-writer.ts';
import { Segment } from '../../../src/wire/segment.ts';
import { bytes, contents, segment, type SegmentFields } from './samples.ts';

function readerOf(writer: ResponseWriter): ResponseReader {
  writer.finish();
  const reader = new ResponseReader();
  reader.reset(writer.bytes, writer.view, HEADER_BYTES, writer.length);
  return reader;
}

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const options = fc.integer({ min: 0, max: 10 }).chain((n) => fc.uint8Array({ minLength: n * 4, maxLength: n * 4 }));
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.integer({ min: 0, max: 5000 }).map((n) => bytes(n, n)),
);
const fields: fc.Arbitrary<SegmentFields> = fc.record({
  src: fc.constantFrom('192.0.2.1', '255.255.255.255'),
  dst: fc.ipV4(),
  srcPort: u16,
  dstPort: u16,
  seq: u32,
  ack: u32,
  flags: fc.integer({ min: 0, max: 255 }),
  window: u16,
  options,
  payload,
  missing: fc.integer({ min: 0, max: 100_000 }),
});
const anyFamily = fields.chain((f) =>
  fc.boolean().map((v6) => (v6 ? { ...f, src: '2001:db8::80', dst: 'fe80::1234:5678:9abc:def0' } : f)),
);

describe('response batches', () => {
  it('gives back what was put in, with payload', () => {
    fc.assert(
      fc.property(fc.array(anyFamily, { minLength: 1, maxLength: 8 }), (list) => {
        const writer = new ResponseWriter();
        const sent = list.map(segment);
        for (const s of sent) {
          s.urgentPointer = 99;
          expect(writer.add(s, 0xffff_ffff)).toBe(true);
        }
        const reader = readerOf(writer);
        const read = new Segment();
        for (const s of sent) {
          expect(reader.next(read, instant(42))).toBe(true);
          expect(contents(read)).toEqual(contents(s));
          expect(read.time).toBe(42);
        }
        expect(reader.next(read, instant(0))).toBe(false);
        expect(reader.exhausted).toBe(true);
      }),
    );
  });

  it('says how much payload it left out', () => {
    const s = segment({ payload: bytes(100), missing: 20 });
    for (const wanted of [0, 1, 99, 100, 500]) {
      const writer = new ResponseWriter();
      writer.add(s, wanted);
      const read = new Segment();
      readerOf(writer).next(read, instant(0));
      expect(read.payloadLength).toBe(Math.min(wanted, 100));
      expect(read.sentLength).toBe(120);
      expect(contents(read).payload).toEqual([...bytes(100)].slice(0, wanted));
    }
  });

  it('has the documented header and bytes', () => {
    const writer = new ResponseWriter();
    writer.add(
      segment({ src: '1.2.3.4', dst: '5.6.7.8', srcPort: 0x1122, dstPort: 0x3344, seq: 0x55667788, ack: 0x99aabbcc,
        flags: 0x18, window: 0xddee, options: Uint8Array.of(1, 1, 1, 0), payload: Uint8Array.of(9), missing: 2 }),
      10,
    ); // prettier-ignore
    writer.finish();
    const hex = Buffer.from(writer.bytes.subarray(0, writer.length)).toString('hex');
    expect(hex).toBe(
      '0000002a0b' + '18040400' + '11223344' + '55667788' + '99aabbcc' + 'ddee0000' + '00000003' + '00000001' +
        '01020304' + '05060708' + '01010100' + '09',
    ); // prettier-ignore
    expect(writer.bytes[4]).toBe(RESPONSES);
  });

  it('refuses what does not fit any more, and cuts only a payload that could never fit', () => {
    const writer = new ResponseWriter(1000);
    expect(writer.add(segment({ payload: bytes(600) }), 10_000)).toBe(true);
    const { length } = writer;
    expect(writer.add(segment({ payload: bytes(600) }), 10_000)).toBe(false);
    expect(writer.length).toBe(length);
    writer.clear();
    expect(writer.add(segment({ payload: bytes(5_000) }), 10_000)).toBe(true);
    expect(writer.length).toBe(1000);
    const read = new Segment();
    readerOf(writer).next(read, instant(0));
    expect(read.sentLength).toBe(5_000);
    expect(contents(read).payload).toEqual([...bytes(1000 - HEADER_BYTES - RECORD_ADDRESSES - 8)]);
  });

  it('leaves memory alone that a socket still holds', () => {
    const writer = new ResponseWriter(1000);
    writer.add(segment({ payload: bytes(10, 50) }), 100);
    const held = writer.bytes;
    const before = [...held];
    writer.renew();
    writer.add(segment({ payload: bytes(10, 90) }), 100);
    expect([...held]).toEqual(before);
  });

  it('refuses malformed records instead of reading past them', () => {
    const make = () => {
      const writer = new ResponseWriter(1000);
      writer.add(segment({ options: bytes(8), payload: bytes(10) }), 100);
      return writer;
    };
    const at = HEADER_BYTES;
    const damages: ((w: ResponseWriter) => void)[] = [
      (w) => w.view.setUint8(at + 1, 5),
      (w) => w.view.setUint8(at + 2, 44),
      (w) => w.view.setUint32(at + 20, 9),
      (w) => w.view.setUint32(at + 24, 0xffff_ffff),
      (w) => (w.length -= 1),
      (w) => (w.length = at + 27),
    ];
    for (const damage of damages) {
      const writer = make();
      damage(writer);
      const reader = readerOf(writer);
      expect(() => reader.next(new Segment(), instant(0))).toThrow(
        expect.objectContaining({ code: 'E_CONTROL_PROTOCOL' }),
      );
    }
  });
});
