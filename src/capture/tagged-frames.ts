/**
 * Frames with VLAN tags as libpcap hands them out on Linux. Its filter runs in the kernel, which has taken the outer tag
 * off by then, and does not look behind a second one: such frames are let through (TAGGED_TEXT) and judged here, where
 * libpcap has put the outer tag back.
 */
import { NO_VLAN, type FrameBatch } from '../core/frame-batch.ts';
import { runBpf, type BpfProgram } from './bpf.ts';
import { etherTypeOffset, LINKTYPE_LINUX_SLL } from './link-type.ts';
import { VLAN_TYPES, type Selection } from './selection.ts';
import { compileSelection } from './selection-filter.ts';

const ETHERTYPE_IP4 = 0x0800;
const ETHERTYPE_IP6 = 0x86dd;
const ETHERTYPE_VLAN = 0x8100;
/** What the kernel takes off before filters see a frame. */
const STRIPPED = [ETHERTYPE_VLAN, 0x88a8];
const TAG = 4;

export class TaggedFrames {
  /** Where the EtherType is; -1 where frames have no tags. */
  readonly #type: number;
  readonly #linkType: number;
  readonly #program: BpfProgram | undefined;

  /** `selection`: what is wanted; `undefined` is everything. */
  constructor(linkType: number, selection: Selection | undefined) {
    this.#linkType = linkType;
    this.#type = etherTypeOffset(linkType);
    this.#program = this.#type < 0 || selection === undefined ? undefined : this.#compile(selection);
  }

  /** Whether a frame of `length` bytes at the start of `frame` is wanted, if it has tags; the others are. */
  wanted(frame: Uint8Array, length: number): boolean {
    const type = this.#type;
    if (type < 0 || length < type + 2 || !VLAN_TYPES.includes(u16(frame, type))) return true;
    if (this.#linkType === LINKTYPE_LINUX_SLL) this.#nameSecondTag(frame, length);
    return this.#program === undefined || runBpf(this.#program, frame, 0, length, length) !== 0;
  }

  /**
   * Newer kernels report the innermost EtherType of a cooked frame, which libpcap writes behind the outer tag although
   * there are more (vlan_get_protocol_dgram). Nothing says so but the bytes behind it; an IPv4 packet that looks like a tag
   * is 0x0800 bytes long.
   */
  #nameSecondTag(frame: Uint8Array, length: number): void {
    const second = this.#type + TAG;
    const packet = second + 2;
    if (length <= packet + TAG) return;
    const type = u16(frame, second);
    const version = type === ETHERTYPE_IP4 ? 4 : type === ETHERTYPE_IP6 ? 6 : 0;
    const tagged = version > 0 && u16(frame, packet + 2) === type && frame[packet + TAG]! >> 4 === version;
    if (!tagged || length - packet === ETHERTYPE_IP4) return;
    frame[second] = ETHERTYPE_VLAN >> 8;
    frame[second + 1] = ETHERTYPE_VLAN & 0xff;
  }

  #compile(selection: Selection): BpfProgram | undefined {
    try {
      return compileSelection(selection, this.#linkType === LINKTYPE_LINUX_SLL ? 'sll' : 'ethernet', 1);
    } catch {
      return undefined; // longer than a program may be: whoever reads the frames knows what was wanted
    }
  }
}

/**
 * Whether a filter in the kernel takes frame `i` of a live capture: there it is without its outer tag, which libpcap has put
 * back since. For diagnoses: what has a tag is copied.
 */
export function kernelTakes(program: BpfProgram, batch: FrameBatch, i: number): boolean {
  const [at, captured, length] = [batch.offset[i]!, batch.captured[i]!, batch.length[i]!];
  const type = etherTypeOffset(batch.linkType[i]!);
  const frame = batch.bytes.subarray(at, at + captured);
  const tagged = type >= 0 && captured >= type + 2 + TAG && STRIPPED.includes(u16(frame, type));
  if (!tagged || batch.vlanTci[i] !== NO_VLAN) return runBpf(program, frame, 0, captured, length) !== 0;
  const stripped = new Uint8Array(captured - TAG);
  stripped.set(frame.subarray(0, type));
  stripped.set(frame.subarray(type + TAG), type);
  return runBpf(program, stripped, 0, captured - TAG, length - TAG) !== 0;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
