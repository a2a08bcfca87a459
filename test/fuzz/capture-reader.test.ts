// Invariant: no bytes after a capture's magic make the reader throw, hang, or lose count: frames lie in the file one
// after the other, and bytes read as frames or named as problems are never more than the file has.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzRuns } from '../support/fuzzing.ts';
import {
  concat,
  MAGIC_MODIFIED,
  MAGIC_NANOSECONDS,
  Order,
  pcapHeader,
  portions,
  read,
  record,
} from '../unit/pcap/captures.ts';

const LITTLE = new Order(true);
const BIG = new Order(false);
const frame = (n: number) => new Uint8Array(n).map((_, i) => i * 7);

function pcapng(order: Order): Uint8Array {
  const packets = [
    order.enhanced(0, 9n, frame(60), 60, order.option(2, order.u32(2))),
    order.enhanced(1, 10n, frame(33)),
  ];
  const others = [
    order.block(4, frame(12)),
    order.block(3, order.u32(8), frame(8)),
    order.block(2, order.u32(0, 0, 0, 4, 4), frame(4)),
  ];
  const devices = [
    order.device(1, 96, order.option(9, Uint8Array.of(9))),
    order.device(101, 0, order.option(14, frame(8))),
  ];
  return concat(order.section(), ...devices, ...packets, ...others);
}

const SEEDS = [
  concat(pcapHeader(LITTLE), ...[10, 60, 0, 200].map((n, i) => record(LITTLE, i, i, frame(n)))),
  concat(pcapHeader(BIG, MAGIC_NANOSECONDS), ...[10, 60, 0, 200].map((n, i) => record(BIG, i, i, frame(n), 300))),
  concat(pcapHeader(LITTLE, MAGIC_MODIFIED), LITTLE.u32(1, 2, 6, 6, 0, 0), frame(6)),
  pcapng(LITTLE),
  concat(pcapng(BIG), pcapng(LITTLE)),
  concat(
    pcapHeader(BIG),
    record(BIG, 0, 0, frame(10)),
    pcapHeader(LITTLE),
    record(LITTLE, 1, 0, frame(9)),
    pcapng(BIG),
  ),
];

const EXTREMES = [0, 1, 4, 12, 13, 0x7f, 0x80, 0xff];
/** The magic stays: without it the file is refused, which is tested elsewhere. */
const mutation = fc.record({
  at: fc.nat(600),
  value: fc.oneof(fc.nat(255), fc.constantFrom(...EXTREMES)),
  size: fc.nat(2),
});

describe('the capture reader', () => {
  it('holds its invariant on mutated files, in any portions', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SEEDS),
        fc.array(mutation, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 700 }),
        (seed, list, portion) => {
          const file = [...seed];
          for (const { at, value, size } of list) file.splice(12 + (at % (file.length - 12)), size, value);
          const bytes = Uint8Array.from(file);
          const { frames, problems } = read(portions(bytes, portion));
          const inFrames = frames.reduce((n, { bytes: held }) => n + held.length, 0);
          const inProblems = problems.reduce((n, problem) => n + problem.bytes, 0);
          expect(inFrames + inProblems).toBeLessThanOrEqual(bytes.length);
          for (const { bytes: held, length, time } of frames) {
            expect(length).toBeGreaterThanOrEqual(held.length);
            expect(Number.isNaN(time)).toBe(false);
          }
          // The portions make no difference.
          const whole = read([bytes], 100);
          expect(whole.frames).toEqual(frames);
          expect(whole.problems).toEqual(problems);
        },
      ),
      { numRuns: fuzzRuns(5_000) },
    );
  });
});
