/**
 * Records frames as they were captured. Two things are put back that the kernel had taken out or not yet put in, so that
 * a frame is as it was on the wire: a VLAN tag that was stripped, and a TCP checksum that was left to the NIC.
 */
import { DROP_NONE, type DropReason } from '../core/drop-reason.ts';
import { FRAME_CHECKSUM_PARTIAL, NO_VLAN, type FrameBatch } from '../core/frame-batch.ts';
import { instant } from '../core/time.ts';
import type { RecordingFiles } from '../inject/recording-files.ts';
import { foldSum, pseudoHeaderSum, sumBytes } from '../wire/checksum.ts';
import { LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL, LINKTYPE_LINUX_SLL2 } from '../wire/link-header.ts';
import type { Segment } from '../wire/segment.ts';
import { TCP_HEADER_LENGTH } from '../wire/tcp-writer.ts';

const ETHERTYPE_VLAN = 0x8100;
const VLAN_TAG = 4;
const PROTOCOL_TCP = 6;
const CHECKSUM_OFFSET = 16;
const LARGEST_FRAME = 512 << 10;

export class FrameRecorder {
  readonly #files: RecordingFiles;
  readonly #copy = new Uint8Array(LARGEST_FRAME);
  readonly #view = new DataView(this.#copy.buffer);

  constructor(files: RecordingFiles) {
    this.#files = files;
  }

  /** `segment`: what frame `i` carries, where `reason` is DROP_NONE; else it is a fragment, or not sound. */
  record(source: string, batch: FrameBatch, i: number, reason: DropReason, segment: Segment): void {
    const linkType = batch.linkType[i]!;
    const from = this.#files.interfaceOf(linkType, source);
    const time = instant(batch.time[i]!);
    const flags = batch.flags[i]!;
    const offset = batch.offset[i]!;
    const captured = batch.captured[i]!;
    const length = batch.length[i]!;
    const partial = reason === DROP_NONE && (flags & FRAME_CHECKSUM_PARTIAL) !== 0 && segment.bytes === batch.bytes;
    const tag = batch.vlanTci[i]!;
    if ((!partial && tag === NO_VLAN) || captured + VLAN_TAG > LARGEST_FRAME) {
      this.#files.add(from, batch.bytes, offset, captured, time, length, flags);
      return;
    }
    this.#copy.set(batch.bytes.subarray(offset, offset + captured));
    if (partial) this.#finishChecksum(segment, offset);
    const added = tag === NO_VLAN ? 0 : this.#insertTag(linkType, captured, tag);
    this.#files.add(from, this.#copy, 0, captured + added, time, length + added, flags);
  }

  /** What is there of the segment has to be all of it: else its checksum cannot be known. */
  #finishChecksum(segment: Segment, frameOffset: number): void {
    if (segment.payloadMissing > 0) return;
    const at = segment.optionsOffset - TCP_HEADER_LENGTH - frameOffset;
    const length = TCP_HEADER_LENGTH + segment.optionsLength + segment.payloadLength;
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = segment;
    this.#view.setUint16(at + CHECKSUM_OFFSET, 0);
    const pseudo = pseudoHeaderSum(src0, src1, src2, src3, dst0, dst1, dst2, dst3, PROTOCOL_TCP, length);
    this.#view.setUint16(at + CHECKSUM_OFFSET, ~foldSum(pseudo + sumBytes(this.#view, at, length)));
  }

  /** Returns how much longer the frame is. */
  #insertTag(linkType: number, captured: number, tag: number): number {
    const place = tagPlace(linkType);
    if (place === undefined || captured < place.header) return 0;
    const type = this.#view.getUint16(place.etherType);
    this.#copy.copyWithin(place.header + VLAN_TAG, place.header, captured);
    this.#view.setUint16(place.etherType, ETHERTYPE_VLAN);
    this.#view.setUint16(place.header, tag);
    this.#view.setUint16(place.header + 2, type);
    return VLAN_TAG;
  }
}

/** Where the EtherType stands that a tag goes before, and the length of the link header. */
function tagPlace(linkType: number): { readonly etherType: number; readonly header: number } | undefined {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return { etherType: 12, header: 14 };
    case LINKTYPE_LINUX_SLL:
      return { etherType: 14, header: 16 };
    case LINKTYPE_LINUX_SLL2:
      return { etherType: 0, header: 20 };
    default:
      return undefined;
  }
}
