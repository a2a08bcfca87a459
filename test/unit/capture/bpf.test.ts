import { describe, expect, it } from 'vitest';
import { BpfProgram, runBpf, type BpfInstruction } from '../../../src/capture/bpf.ts';

const step = (code: number, k = 0, jt = 0, jf = 0): BpfInstruction => ({ code, k, jt, jf });
const RET_K = 0x06;
const RET_A = 0x16;
const bytes = Uint8Array.from([0x45, 0xff, 0xfe, 0xfd, 0xfc, 0x80, 0, 0, 0, 1]);

/** The accumulator after `steps`. */
function a(steps: BpfInstruction[], frame: Uint8Array = bytes, length = frame.length, protocol = 0): number {
  return runBpf(new BpfProgram([...steps, step(RET_A)]), frame, 0, frame.length, length, protocol);
}

describe('runBpf', () => {
  it.each([
    ['ld #k', [step(0x00, -5)], 0xffff_fffb],
    ['ld [k]', [step(0x20, 1)], 0xfffe_fdfc],
    ['ldh [k]', [step(0x28, 2)], 0xfefd],
    ['ldb [k]', [step(0x30, 4)], 0xfc],
    ['ldx #k, ldh [x+k]', [step(0x01, 1), step(0x48, 1)], 0xfefd],
    ['ldx 4*([k]&0xf), txa', [step(0xb1, 0), step(0x87)], 20],
    ['ld #len', [step(0x80)], 10],
    ['st, ld M[]', [step(0x00, 7), step(0x02, 15), step(0x00, 0), step(0x60, 15)], 7],
    ['stx, ldx M[], txa', [step(0x01, 9), step(0x03, 3), step(0x01, 0), step(0x61, 3), step(0x87)], 9],
    ['add x', [step(0x00, 3), step(0x01, 4), step(0x0c)], 7],
    ['sub', [step(0x00, 3), step(0x14, 4)], 0xffff_ffff],
    ['mul', [step(0x00, 0x10001), step(0x24, 0x10001)], 0x20001],
    ['div, unsigned', [step(0x00, -2), step(0x34, 2)], 0x7fff_ffff],
    ['mod, unsigned', [step(0x00, -1), step(0x94, 10)], 5],
    ['or, and, xor', [step(0x00, 0xf0), step(0x44, 0x0f), step(0x54, 0x3c), step(0xa4, 0xff)], 0xc3],
    ['lsh, rsh', [step(0x00, -1), step(0x74, 4), step(0x64, 1)], 0x1fff_fffe],
    ['neg', [step(0x00, 1), step(0x84)], 0xffff_ffff],
    ['tax', [step(0x00, 5), step(0x07), step(0x00, 0), step(0x0c)], 5],
  ] as [string, BpfInstruction[], number][])('%s', (_, steps, expected) => {
    expect(a(steps)).toBe(expected);
  });

  it.each([
    ['jeq', 0x15, -1, [1, 0, 0]],
    ['jgt', 0x25, 5, [1, 0, 1]],
    ['jge', 0x35, 5, [1, 1, 1]],
    ['jset', 0x45, 4, [1, 1, 0]],
  ] as [string, number, number, number[]][])('%s compares unsigned', (_, code, k, expected) => {
    const outcomes = [-1, 5, 8].map((value) =>
      runBpf(
        new BpfProgram([step(0x00, value), step(code, k, 0, 1), step(RET_K, 1), step(RET_K, 0)]),
        bytes,
        0,
        10,
        10,
      ),
    );
    expect(outcomes).toEqual(expected);
  });

  it('jumps always, and by x', () => {
    expect(a([step(0x05, 1), step(0x06, 99), step(0x00, 2)])).toBe(2);
    const byX = [step(0x00, 7), step(0x01, 7), step(0x1d, 0, 0, 1), step(RET_K, 1), step(RET_K, 0)];
    expect(runBpf(new BpfProgram(byX), bytes, 0, 10, 10)).toBe(1);
  });

  it('rejects a frame when it loads beyond its end, or divides by zero', () => {
    for (const steps of [[step(0x20, 7)], [step(0x30, 10)], [step(0x30, -1)], [step(0x00, 1), step(0x3c)]]) {
      expect(runBpf(new BpfProgram([...steps, step(RET_K, 1)]), bytes, 0, 10, 10)).toBe(0);
    }
  });

  it('sees only the frame it is given', () => {
    const program = new BpfProgram([step(0x30, 2), step(RET_A)]);
    expect(runBpf(program, bytes, 2, 3, 3)).toBe(0xfc);
    expect(runBpf(program, bytes, 2, 2, 2)).toBe(0);
  });

  it('loads the EtherType that the kernel would know', () => {
    expect(a([step(0x28, -0x1000)], bytes, 10, 0x86dd)).toBe(0x86dd);
  });
});

describe('BpfProgram', () => {
  it('refuses what the kernel refuses', () => {
    expect(() => new BpfProgram([])).toThrow(RangeError);
    expect(() => new BpfProgram([step(0x00, 1)])).toThrow(/leaves the program|ends with a return/);
    expect(() => new BpfProgram([step(0x05, 1), step(RET_K)])).toThrow(/step 0 leaves the program/);
    expect(() => new BpfProgram([step(0x15, 0, 0, 1), step(RET_K)])).toThrow(/step 0 leaves the program/);
    expect(() => new BpfProgram([step(0x02, 16), step(RET_K)])).toThrow(/scratch/);
    expect(() => new BpfProgram(Array.from({ length: 4_097 }, () => step(RET_K)))).toThrow(RangeError);
  });

  it('survives the way to struct sock_filter and back', () => {
    const program = new BpfProgram([step(0x28, -0x1000), step(0x15, 0x800, 1, 0), step(RET_K, 0), step(RET_K, 65535)]);
    expect(BpfProgram.fromBytes(program.toBytes().buffer)).toEqual(program);
  });
});
