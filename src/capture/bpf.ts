/**
 * Classic BPF programs (McCanne and Jacobson 1993; Linux Documentation/networking/filter.rst): the form in which the
 * kernel takes capture filters, and an interpreter for frames that no kernel filters, such as those of a recording.
 */

/** Instruction classes, sizes, modes and operations; an opcode is a sum of these (linux/bpf_common.h). */
export const BPF_LD = 0x00;
export const BPF_LDX = 0x01;
export const BPF_ST = 0x02;
export const BPF_STX = 0x03;
export const BPF_ALU = 0x04;
export const BPF_JMP = 0x05;
export const BPF_RET = 0x06;
export const BPF_MISC = 0x07;
export const BPF_W = 0x00;
export const BPF_H = 0x08;
export const BPF_B = 0x10;
export const BPF_IMM = 0x00;
export const BPF_ABS = 0x20;
export const BPF_IND = 0x40;
export const BPF_MEM = 0x60;
export const BPF_LEN = 0x80;
export const BPF_MSH = 0xa0;
export const BPF_ADD = 0x00;
const BPF_SUB = 0x10;
const BPF_MUL = 0x20;
const BPF_DIV = 0x30;
const BPF_OR = 0x40;
export const BPF_AND = 0x50;
export const BPF_LSH = 0x60;
export const BPF_RSH = 0x70;
const BPF_NEG = 0x80;
const BPF_MOD = 0x90;
export const BPF_JA = 0x00;
export const BPF_JEQ = 0x10;
export const BPF_JGT = 0x20;
export const BPF_JGE = 0x30;
export const BPF_JSET = 0x40;
export const BPF_X = 0x08;
/** What BPF_RET returns: the accumulator, not `k`. */
export const BPF_ACCUMULATOR = 0x10;
export const BPF_TAX = 0x00;

/** Linux: loading from here gives the EtherType the kernel knows (SKF_AD_OFF + SKF_AD_PROTOCOL). */
export const BPF_ANCILLARY_PROTOCOL = -0x1000;

/** BPF_MAXINSNS of Linux. */
const MAX_INSTRUCTIONS = 4096;
const SCRATCH_WORDS = 16;

export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

export class BpfProgram {
  readonly instructions: readonly BpfInstruction[];

  /** Checks what the kernel checks: so `runBpf` always ends, and never leaves the program or its scratch memory. */
  constructor(instructions: readonly BpfInstruction[]) {
    const last = instructions.length - 1;
    if (last < 0 || last >= MAX_INSTRUCTIONS) throw new RangeError(`a BPF program has 1 to ${MAX_INSTRUCTIONS} steps`);
    instructions.forEach(({ code, jt, jf, k }, i) => {
      const kind = code & 7;
      const furthest = kind !== BPF_JMP ? 0 : (code & 0xf0) === BPF_JA ? k >>> 0 : Math.max(jt, jf);
      const scratch = kind === BPF_ST || kind === BPF_STX || (kind <= BPF_LDX && (code & 0xe0) === BPF_MEM);
      if (i + 1 + furthest > last && kind !== BPF_RET) throw new RangeError(`BPF step ${i} leaves the program`);
      if (scratch && k >>> 0 >= SCRATCH_WORDS) throw new RangeError(`BPF step ${i} leaves the scratch memory`);
    });
    if ((instructions[last]!.code & 7) !== BPF_RET) throw new RangeError('a BPF program ends with a return');
    this.instructions = instructions;
  }

  /** From an array of `struct sock_filter` in this machine's byte order. */
  static fromBytes(buffer: ArrayBuffer): BpfProgram {
    const halves = new Uint16Array(buffer);
    const bytes = new Uint8Array(buffer);
    const words = new Int32Array(buffer);
    return new BpfProgram(
      Array.from({ length: buffer.byteLength >> 3 }, (_, i) => ({
        code: halves[4 * i]!,
        jt: bytes[8 * i + 2]!,
        jf: bytes[8 * i + 3]!,
        k: words[2 * i + 1]!,
      })),
    );
  }

  /** As an array of `struct sock_filter`, for SO_ATTACH_FILTER. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(8 * this.instructions.length);
    const halves = new Uint16Array(bytes.buffer);
    const words = new Int32Array(bytes.buffer);
    this.instructions.forEach(({ code, jt, jf, k }, i) => {
      halves[4 * i] = code;
      bytes[8 * i + 2] = jt;
      bytes[8 * i + 3] = jf;
      words[2 * i + 1] = k;
    });
    return bytes;
  }
}

const scratch = new Int32Array(SCRATCH_WORDS);

/** The big-endian value of `size` (BPF_W, _H, _B) at `at`; -1 with `outside` set when it is not there. */
let outside = false;
function load(bytes: Uint8Array, start: number, end: number, at: number, size: number): number {
  const i = start + at;
  const width = size === BPF_W ? 4 : size === BPF_H ? 2 : 1;
  if (at < 0 || i + width > end) {
    outside = true;
    return -1;
  }
  if (width === 1) return bytes[i]!;
  if (width === 2) return (bytes[i]! << 8) | bytes[i + 1]!;
  return (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!;
}

/**
 * Runs `program` over one frame and returns how many bytes of it to keep; 0 rejects it, as does any load beyond its
 * end. `protocol` is what BPF_ANCILLARY_PROTOCOL loads.
 */
export function runBpf(
  program: BpfProgram,
  bytes: Uint8Array,
  offset: number,
  captured: number,
  length: number,
  protocol = 0,
): number {
  const { instructions } = program;
  const end = offset + captured;
  let a = 0;
  let x = 0;
  outside = false;
  scratch.fill(0);
  for (let pc = 0; ; pc++) {
    const { code, jt, jf, k } = instructions[pc]!;
    switch (code & 7) {
      case BPF_LD:
      case BPF_LDX: {
        let value = 0;
        const mode = code & 0xe0;
        if (mode === BPF_IMM) value = k;
        else if (mode === BPF_MEM) value = scratch[k]!;
        else if (mode === BPF_LEN) value = length;
        else if (mode === BPF_MSH) value = (load(bytes, offset, end, k, BPF_B) & 0xf) << 2;
        else if (mode === BPF_ABS && k === BPF_ANCILLARY_PROTOCOL) value = protocol;
        else value = load(bytes, offset, end, mode === BPF_IND ? (x + k) | 0 : k, code & 0x18);
        if (outside) return 0;
        if ((code & 7) === BPF_LD) a = value;
        else x = value;
        break;
      }
      case BPF_ST:
        scratch[k] = a;
        break;
      case BPF_STX:
        scratch[k] = x;
        break;
      case BPF_ALU: {
        const operand = code & BPF_X ? x : k;
        // Division by zero rejects the frame, as in the kernel.
        if (operand === 0 && ((code & 0xf0) === BPF_DIV || (code & 0xf0) === BPF_MOD)) return 0;
        a = compute(code & 0xf0, a, operand);
        break;
      }
      case BPF_JMP: {
        if ((code & 0xf0) === BPF_JA) pc += k;
        else pc += holds(code & 0xf0, a, code & BPF_X ? x : k) ? jt : jf;
        break;
      }
      case BPF_RET:
        return ((code & 0x18) === BPF_ACCUMULATOR ? a : k) >>> 0;
      default:
        if ((code & 0xf8) === BPF_TAX) x = a;
        else a = x;
    }
  }
}

function compute(operation: number, a: number, b: number): number {
  switch (operation) {
    case BPF_ADD:
      return (a + b) | 0;
    case BPF_SUB:
      return (a - b) | 0;
    case BPF_MUL:
      return Math.imul(a, b);
    case BPF_DIV:
      return ((a >>> 0) / (b >>> 0)) | 0;
    case BPF_OR:
      return a | b;
    case BPF_AND:
      return a & b;
    case BPF_LSH:
      return b >>> 0 > 31 ? 0 : a << b;
    case BPF_RSH:
      return b >>> 0 > 31 ? 0 : (a >>> b) | 0;
    case BPF_NEG:
      return -a | 0;
    case BPF_MOD:
      return ((a >>> 0) % (b >>> 0)) | 0;
    default:
      return a ^ b;
  }
}

/** Comparisons are unsigned. */
function holds(operation: number, a: number, b: number): boolean {
  switch (operation) {
    case BPF_JEQ:
      return (a | 0) === (b | 0);
    case BPF_JGT:
      return a >>> 0 > b >>> 0;
    case BPF_JGE:
      return a >>> 0 >= b >>> 0;
    default:
      return (a & b) !== 0;
  }
}
