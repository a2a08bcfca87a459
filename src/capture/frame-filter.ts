/** A capture filter applied to frames that no kernel has filtered. */
import type { FrameBatch } from '../core/frame-batch.ts';
import { runBpf, type BpfProgram } from './bpf.ts';

/** Keeps what one program per link type accepts; programs are compiled when a link type first appears. */
export class FrameFilter {
  readonly #compile: (linkType: number) => BpfProgram;
  readonly #programs = new Map<number, BpfProgram>();

  constructor(compile: (linkType: number) => BpfProgram) {
    this.#compile = compile;
  }

  /** Removes rejected frames from the batch, in place. */
  apply(batch: FrameBatch): void {
    const { offset, captured, length, time, linkType, flags, vlanTci } = batch;
    let kept = 0;
    for (let i = 0; i < batch.count; i++) {
      const program = this.#programFor(linkType[i]!);
      if (runBpf(program, batch.bytes, offset[i]!, captured[i]!, length[i]!) === 0) continue;
      offset[kept] = offset[i]!;
      captured[kept] = captured[i]!;
      length[kept] = length[i]!;
      time[kept] = time[i]!;
      linkType[kept] = linkType[i]!;
      flags[kept] = flags[i]!;
      vlanTci[kept] = vlanTci[i]!;
      kept++;
    }
    batch.count = kept;
  }

  #programFor(linkType: number): BpfProgram {
    let program = this.#programs.get(linkType);
    if (program === undefined) {
      program = this.#compile(linkType);
      this.#programs.set(linkType, program);
    }
    return program;
  }
}
