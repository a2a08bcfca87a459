import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfAssembler } from '../../../src/capture/bpf-assembler.ts';
import { BPF_ABS, BPF_B, BPF_JEQ, BPF_LD, runBpf } from '../../../src/capture/bpf.ts';

describe('BpfAssembler', () => {
  it('makes one step of a jump that reaches', () => {
    const b = new BpfAssembler();
    const yes = b.label();
    b.jump(BPF_JEQ, 1, yes);
    b.ret(0);
    b.place(yes);
    b.ret(1);
    expect(b.assemble().instructions).toEqual([
      { code: 0x15, jt: 1, jf: 0, k: 1 },
      { code: 0x06, jt: 0, jf: 0, k: 0 },
      { code: 0x06, jt: 0, jf: 0, k: 1 },
    ]);
  });

  // A switch over the first byte: each case pads the program, so that its jumps are short, far, or on the border.
  it('leads every jump where its label is, at any distance', () => {
    const padding = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(padding, fc.boolean(), (gaps, both) => {
        const b = new BpfAssembler();
        const cases = gaps.map(() => b.label());
        const none = b.label();
        b.emit(BPF_LD | BPF_B | BPF_ABS, 0);
        cases.forEach((label, i) => {
          const last = i === cases.length - 1;
          if (both && last) b.jump(BPF_JEQ, i, label, none);
          else b.jump(BPF_JEQ, i, label);
        });
        b.goto(none);
        cases.forEach((label, i) => {
          for (let n = 0; n < gaps[i]!; n++) b.emit(BPF_LD | BPF_B | BPF_ABS, 0);
          b.place(label);
          b.ret(100 + i);
        });
        b.place(none);
        b.ret(7);
        const program = b.assemble();
        for (let value = 0; value <= gaps.length; value++) {
          const expected = value < gaps.length ? 100 + value : 7;
          expect(runBpf(program, Uint8Array.of(value), 0, 1, 1)).toBe(expected);
        }
      }),
      { numRuns: 60 },
    );
  });
});
