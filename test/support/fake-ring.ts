/** The kernel's side of a TPACKET_V3 ring, in memory. */
export const BLOCK = 4_096;
const BLOCKS = 3;
export const USER = 1;

export interface FakeFrame {
  readonly bytes: readonly number[];
  readonly length?: number;
  readonly status?: number;
  readonly vlan?: number;
  readonly packetType?: number;
  readonly hatype?: number;
  readonly protocol?: number;
  /** The system's time, µs. */
  readonly time?: number;
}

/** Fills blocks as packet_mmap.rst describes them. */
export class FakeKernel {
  readonly buffer = new ArrayBuffer(BLOCK * BLOCKS);
  readonly view = new DataView(this.buffer);
  #next = 0;

  status(block: number): number {
    return this.view.getUint32(block * BLOCK + 8, true);
  }

  /** Writes frames into the next block; `done` hands it over. */
  fill(frames: readonly FakeFrame[], done = true): void {
    const block = this.#next * BLOCK;
    const { view } = this;
    view.setUint32(block + 12, frames.length, true);
    view.setUint32(block + 16, 48, true);
    let at = block + 48;
    frames.forEach((f, i) => {
      const data = 96;
      const size = (data + f.bytes.length + 15) & ~15;
      view.setUint32(at, i === frames.length - 1 ? 0 : size, true);
      const time = f.time ?? 1_700_000_000_123_456.5;
      view.setUint32(at + 4, Math.floor(time / 1e6), true);
      view.setUint32(at + 8, Math.round((time % 1e6) * 1e3), true);
      view.setUint32(at + 12, f.bytes.length, true);
      view.setUint32(at + 16, f.length ?? f.bytes.length, true);
      view.setUint32(at + 20, USER | (f.status ?? 0), true);
      view.setUint16(at + 24, data, true);
      view.setUint32(at + 32, f.vlan ?? 0, true);
      view.setUint16(at + 50, f.protocol ?? 0x0800);
      view.setUint16(at + 56, f.hatype ?? 1, true);
      view.setUint8(at + 58, f.packetType ?? 0);
      new Uint8Array(this.buffer).set(f.bytes, at + data);
      at += size;
    });
    if (done) this.release();
  }

  /** Hands the block that was filled last to user space. */
  release(): void {
    this.view.setUint32(this.#next * BLOCK + 8, USER, true);
    this.#next = (this.#next + 1) % BLOCKS;
  }
}
