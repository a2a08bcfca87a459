import type { Instant } from '../core/time.ts';
import { PCAP_FILE_HEADER_LENGTH, PCAP_MAGIC_NANOSECONDS, PCAP_RECORD_HEADER_LENGTH } from './pcap-decoder.ts';

const VERSION_MAJOR = 2;
const VERSION_MINOR = 4;
/** What tcpdump writes for "no limit". */
const SNAP_LENGTH = 262_144;
const CAPACITY = 256 << 10;

/**
 * Writes pcap with nanosecond timestamps, big-endian, into memory: `add` frames, `take` what has gathered and put it
 * into a file. The first bytes taken begin with the file header.
 */
export class CaptureWriter {
  /** Bytes that wait to be taken. The caller takes them when they are enough, or the memory grows. */
  size = 0;
  private bytes: Uint8Array = new Uint8Array(CAPACITY);
  private view: DataView = new DataView(this.bytes.buffer);

  /** `linkType`: LINKTYPE_ value of every frame. */
  constructor(linkType: number) {
    const { view } = this;
    view.setUint32(0, PCAP_MAGIC_NANOSECONDS);
    view.setUint16(4, VERSION_MAJOR);
    view.setUint16(6, VERSION_MINOR);
    view.setUint32(16, SNAP_LENGTH);
    view.setUint32(20, linkType);
    this.size = PCAP_FILE_HEADER_LENGTH;
  }

  /** Copies the `captured` bytes at `offset`; the frame had `length` on the wire. */
  add(frame: Uint8Array, offset: number, captured: number, time: Instant, length = captured): void {
    const at = this.size;
    const end = at + PCAP_RECORD_HEADER_LENGTH + captured;
    if (end > this.bytes.length) this.grow(end);
    let seconds = Math.floor(time / 1e6);
    let nanoseconds = Math.round((time - seconds * 1e6) * 1000);
    if (nanoseconds === 1e9) {
      seconds++;
      nanoseconds = 0;
    }
    this.view.setUint32(at, seconds);
    this.view.setUint32(at + 4, nanoseconds);
    this.view.setUint32(at + 8, captured);
    this.view.setUint32(at + 12, length);
    this.bytes.set(frame.subarray(offset, offset + captured), at + PCAP_RECORD_HEADER_LENGTH);
    this.size = end;
  }

  /** Hands over what has gathered, for the caller to keep. */
  take(): Uint8Array {
    const taken = this.bytes.slice(0, this.size);
    this.size = 0;
    return taken;
  }

  private grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.size));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
