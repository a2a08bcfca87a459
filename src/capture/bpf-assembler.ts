/**
 * Assembles classic BPF with labels. A conditional jump reaches 255 steps only; one that must go further becomes a short
 * jump onto a `ja`, whose reach is 32 bits. All jumps go forward.
 */
import { BPF_JA, BPF_JMP, BPF_RET, BpfProgram, type BpfInstruction } from './bpf.ts';

/** A place in the program, known once `place` was called with it. */
export interface BpfLabel {
  item: number;
}

interface Item {
  readonly code: number;
  readonly k: number;
  readonly ifTrue?: BpfLabel;
  readonly ifFalse?: BpfLabel;
  /** The jump goes through a `ja` that follows it. */
  trueFar: boolean;
  falseFar: boolean;
}

const REACH = 255;

export class BpfAssembler {
  readonly #items: Item[] = [];

  label(): BpfLabel {
    return { item: -1 };
  }

  /** What comes next is where `label` leads. */
  place(label: BpfLabel): void {
    label.item = this.#items.length;
  }

  emit(code: number, k = 0): void {
    this.#items.push({ code, k, trueFar: false, falseFar: false });
  }

  ret(k: number): void {
    this.emit(BPF_RET, k);
  }

  goto(target: BpfLabel): void {
    this.#items.push({ code: BPF_JMP | BPF_JA, k: 0, ifTrue: target, trueFar: false, falseFar: false });
  }

  /** `test` is BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET of the accumulator with `k`; without `ifFalse` it falls through. */
  jump(test: number, k: number, ifTrue: BpfLabel | undefined, ifFalse?: BpfLabel): void {
    const next = this.label();
    const item = { code: BPF_JMP | test, k, trueFar: false, falseFar: false };
    this.#items.push({ ...item, ifTrue: ifTrue ?? next, ifFalse: ifFalse ?? next });
    this.place(next);
  }

  assemble(): BpfProgram {
    let starts = this.#layOut();
    while (this.#widen(starts)) starts = this.#layOut();
    return new BpfProgram(this.#items.flatMap((item, i) => encode(item, starts, i)));
  }

  /** Where each item begins, in steps, and where the last one ends. */
  #layOut(): number[] {
    const starts = [0];
    for (const item of this.#items) starts.push(starts.at(-1)! + 1 + Number(item.trueFar) + Number(item.falseFar));
    return starts;
  }

  /** Marks jumps that are out of reach; widening one may push others out, so until nothing changes. */
  #widen(starts: number[]): boolean {
    let changed = false;
    this.#items.forEach((item, i) => {
      if (item.ifFalse === undefined) return;
      const after = starts[i]! + 1;
      const trueFar = item.trueFar || starts[item.ifTrue!.item]! - after > REACH;
      const falseFar = item.falseFar || starts[item.ifFalse.item]! - after > REACH;
      changed ||= trueFar !== item.trueFar || falseFar !== item.falseFar;
      item.trueFar = trueFar;
      item.falseFar = falseFar;
    });
    return changed;
  }
}

function encode(item: Item, starts: number[], i: number): BpfInstruction[] {
  const after = starts[i]! + 1;
  const { code, k, ifTrue, ifFalse, trueFar, falseFar } = item;
  if (ifTrue === undefined) return [{ code, jt: 0, jf: 0, k }];
  const toTrue = starts[ifTrue.item]! - after;
  if (ifFalse === undefined) return [{ code, jt: 0, jf: 0, k: toTrue }];
  const toFalse = starts[ifFalse.item]! - after;
  const out = [{ code, jt: trueFar ? 0 : toTrue, jf: falseFar ? Number(trueFar) : toFalse, k }];
  const hop = (distance: number) => out.push({ code: BPF_JMP | BPF_JA, jt: 0, jf: 0, k: distance - out.length });
  if (trueFar) hop(toTrue);
  if (falseFar) hop(toFalse);
  return out;
}
