import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/core/time.ts';
import { Decoder } from '../../../src/control/decoder.ts';
import { encode } from '../../../src/control/encoder.ts';
import type { Message } from '../../../src/control/messages.ts';
import {
  HEADER_BYTES,
  MAGIC,
  MAX_HANDSHAKE_MESSAGE,
  MAX_MESSAGE,
  MESSAGE_NAMES,
  PING,
  REFUSED,
  RESPONSES,
  TARGETS,
} from '../../../src/control/protocol.ts';
import { ResponseWriter } from '../../../src/control/response-writer.ts';
import { Segment } from '../../../src/wire/segment.ts';
import { contents, ip, SAMPLES, segment } from './samples.ts';

function drain(decoder: Decoder): Message[] {
  const messages: Message[] = [];
  for (let m = decoder.next(); m !== undefined; m = decoder.next()) messages.push(m);
  return messages;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const STREAM = concat(SAMPLES.map(encode));

describe('Decoder', () => {
  it('has a sample of every message but RESPONSES', () => {
    const types = new Set(SAMPLES.map((m) => m.type as number));
    expect(MESSAGE_NAMES.flatMap((name, type) => (name === undefined || types.has(type) ? [] : [type]))).toEqual([
      RESPONSES,
    ]);
  });

  it.each(SAMPLES.map((m) => [MESSAGE_NAMES[m.type], m] as const))(
    'reads %s whole, by bytes, and with more',
    (_, m) => {
      const whole = encode(m);
      const first = new Decoder();
      first.push(whole);
      expect(drain(first)).toEqual([m]);

      const second = new Decoder();
      for (let i = 0; i < whole.length; i++) {
        expect(second.next()).toBeUndefined();
        second.push(whole.subarray(i, i + 1));
      }
      expect(drain(second)).toEqual([m]);

      const third = new Decoder();
      third.push(concat([whole, encode({ type: PING, token: 1 }).subarray(0, 3)]));
      expect(drain(third)).toEqual([m]);
      expect(third.buffered).toBe(3);
    },
  );

  it('reads messages of any length, as they were written', () => {
    for (const count of [11, 12, 13, 500]) {
      const range = { address: ip('192.0.2.1'), portFirst: 80, portLast: 81 };
      const message = { type: TARGETS, targets: Array.from({ length: count }, () => range), clients: [] } as const;
      const decoder = new Decoder();
      decoder.maxMessage = MAX_MESSAGE;
      decoder.push(encode(message));
      expect(drain(decoder)).toEqual([message]);
    }
  });

  it('reads the same messages from any chunking', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 60 }), (sizes) => {
        const decoder = new Decoder();
        const messages: Message[] = [];
        let at = 0;
        for (let i = 0; at < STREAM.length; i++) {
          const size = sizes[i % sizes.length]!;
          decoder.push(STREAM.subarray(at, at + size));
          at += size;
          messages.push(...drain(decoder));
        }
        expect(messages).toEqual(SAMPLES);
      }),
    );
  });

  it('reads the same messages from memory that others fill', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        const decoder = new Decoder();
        const messages: Message[] = [];
        let at = 0;
        for (let i = 0; at < STREAM.length; i++) {
          const part = STREAM.subarray(at, at + sizes[i % sizes.length]!);
          const memory = decoder.room(part.length);
          expect(memory.length - decoder.end).toBeGreaterThanOrEqual(part.length);
          memory.set(part, decoder.end);
          decoder.arrived(part.length);
          at += part.length;
          messages.push(...drain(decoder));
        }
        expect(messages).toEqual(SAMPLES);
      }),
    );
  });

  it('keeps unread records sound while more bytes arrive', () => {
    const writer = new ResponseWriter();
    const sent = Array.from({ length: 40 }, (_, i) => segment({ seq: i, payload: new Uint8Array(50).fill(i) }));
    for (const s of sent) expect(writer.add(s, 1000)).toBe(true);
    writer.finish();
    const batch = writer.bytes.slice(0, writer.length);

    const decoder = new Decoder();
    decoder.maxMessage = MAX_MESSAGE;
    decoder.push(encode({ type: PING, token: 1 }));
    decoder.push(batch);
    expect(decoder.next()).toEqual({ type: PING, token: 1 });
    const message = decoder.next();
    if (message?.type !== RESPONSES) throw new Error('no responses');
    const read = new Segment();
    for (const s of sent) {
      decoder.push(batch.subarray(0, 700));
      decoder.push(batch.subarray(700));
      expect(message.reader.next(read, instant(5))).toBe(true);
      expect(contents(read)).toEqual(contents(s));
    }
    expect(message.reader.next(read, instant(5))).toBe(false);
    // The forty copies that were pushed meanwhile are all there.
    let records = 0;
    for (let m = decoder.next(); m !== undefined; m = decoder.next()) {
      if (m.type !== RESPONSES) throw new Error('no responses');
      while (m.reader.next(read, instant(6))) records++;
    }
    expect(records).toBe(40 * 40);
  });

  it('takes what a later version adds to HELLO and REFUSED, and nothing added to others', () => {
    const longer = (message: Uint8Array) => {
      const out = concat([message, Uint8Array.of(1, 2, 3)]);
      new DataView(out.buffer).setUint32(0, out.length - 4);
      return out;
    };
    for (const m of SAMPLES) {
      const decoder = new Decoder();
      decoder.push(longer(encode(m)));
      if (m.type === 1 || m.type === REFUSED) expect(decoder.next()).toEqual(m);
      else expect(() => decoder.next()).toThrow(/too many/);
    }
  });

  it.each([
    ['an HTTP request', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'), /its length would be/],
    ['an empty message', Uint8Array.of(0, 0, 0, 0, 0), /its length would be/],
    ['an unknown type', Uint8Array.of(0, 0, 0, 1, 99), /type 99 is unknown/],
    ['type 0', Uint8Array.of(0, 0, 0, 1, 0), /type 0 is unknown/],
    ['the type that LEASE_RELEASE had', Uint8Array.of(0, 0, 0, 1, 9), /type 9 is unknown/],
    ['a message cut short', Uint8Array.of(0, 0, 0, 3, PING, 0, 0), /PING is cut short/],
  ])('refuses %s', (_, input, message) => {
    const decoder = new Decoder();
    decoder.push(input);
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'E_CONTROL_PROTOCOL' }));
    expect(() => decoder.next()).toThrow(message);
  });

  it('refuses a HELLO without the magic number, and impossible connection numbers', () => {
    const hello = encode(SAMPLES[0]!);
    expect(new DataView(hello.buffer).getUint32(HEADER_BYTES)).toBe(MAGIC);
    for (const [at, value] of [
      [HEADER_BYTES, 0],
      [HEADER_BYTES + 16, 2],
      [HEADER_BYTES + 17, 0],
      [HEADER_BYTES + 17, 17],
    ] as const) {
      const decoder = new Decoder();
      decoder.push(hello.with(at, value));
      expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'E_CONTROL_PROTOCOL' }));
    }
  });

  it('knows a TLS handshake when it sees one', () => {
    const decoder = new Decoder();
    decoder.push(Uint8Array.of(22, 3, 1, 2, 0, 1));
    expect(() => decoder.next()).toThrow(/^a TLS handshake, not a control message$/);
  });

  it('holds a stranger to small messages', () => {
    const decoder = new Decoder();
    const header = new Uint8Array(HEADER_BYTES);
    new DataView(header.buffer).setUint32(0, MAX_HANDSHAKE_MESSAGE);
    decoder.push(header);
    expect(() => decoder.next()).toThrow(/its length/);
  });
});
