// Invariant: whatever bytes arrive, in whatever chunks, the decoder yields messages or throws E_CONTROL_PROTOCOL.
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { instant } from '../../src/core/time.ts';
import { TcpcopyError } from '../../src/core/errors.ts';
import { Decoder } from '../../src/control/decoder.ts';
import { encode } from '../../src/control/encoder.ts';
import { MAX_MESSAGE, RESPONSES } from '../../src/control/protocol.ts';
import { ResponseWriter } from '../../src/control/response-writer.ts';
import { Segment } from '../../src/wire/segment.ts';
import { fuzzRuns } from '../support/fuzzing.ts';
import { bytes, SAMPLES, segment } from '../unit/control/samples.ts';

function feed(input: Uint8Array, chunk: number): void {
  const decoder = new Decoder();
  decoder.maxMessage = MAX_MESSAGE;
  const read = new Segment();
  try {
    for (let at = 0; at < input.length; at += chunk) {
      decoder.push(input.subarray(at, at + chunk));
      for (let m = decoder.next(); m !== undefined; m = decoder.next()) {
        if (m.type !== RESPONSES) continue;
        while (m.reader.next(read, instant(0))) {
          const end = read.payloadOffset + read.payloadLength;
          if (end > read.bytes.length || read.optionsLength > 40) throw new Error('a segment outside its memory');
        }
      }
    }
  } catch (error) {
    if (!(error instanceof TcpcopyError) || error.code !== 'E_CONTROL_PROTOCOL') throw error;
  }
}

function responses(): Uint8Array {
  const writer = new ResponseWriter();
  for (let i = 0; i < 5; i++) writer.add(segment({ options: bytes(8), payload: bytes(20) }), 100);
  writer.add(segment({ src: '::1', dst: '::2' }), 0);
  writer.finish();
  return writer.bytes.slice(0, writer.length);
}

const VALID = [...SAMPLES.map(encode), responses()];

describe('control decoder', () => {
  it('survives random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 50 }), feed), {
      numRuns: fuzzRuns(2_000),
    });
  });

  it('survives damaged messages', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    const order = fc.array(fc.integer({ min: 0, max: VALID.length - 1 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(order, damage, fc.integer({ min: 1, max: 400 }), (picks, changes, chunk) => {
        const input = Uint8Array.from(picks.flatMap((i) => [...VALID[i]!]));
        for (const [at, value] of changes) input[at % input.length] = value;
        feed(input, chunk);
      }),
      { numRuns: fuzzRuns(3_000) },
    );
  });
});
