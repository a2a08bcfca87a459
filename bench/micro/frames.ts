/** Frames of many client connections to one server, built by the code that writes packets, for the micro benches. */
import { FrameBatch } from '../../src/core/frame-batch.ts';
import { instant } from '../../src/core/time.ts';
import { writeTcpPacket } from '../../src/wire/tcp-writer.ts';
import { dataHeader } from '../../test/support/data-header.ts';

const LINKTYPE_ETHERNET = 1;
const ETHERNET = 14;
const IP_AND_TCP = 40;
const PORTS = 60_000;

/** Offsets in a frame of `ethernetFrame`. */
const CLIENT_ADDRESS = ETHERNET + 12;
const CLIENT_PORT = ETHERNET + 20;
export const SEQ = ETHERNET + 24;

/** One data segment in an Ethernet frame, checksums right. */
export function ethernetFrame(payloadLength: number): Uint8Array {
  const frame = new Uint8Array(ETHERNET + IP_AND_TCP + payloadLength);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  writeTcpPacket(frame, view, ETHERNET, dataHeader(), new Uint8Array(payloadLength).fill(120), 0, payloadLength);
  return frame;
}

/** A batch with one frame, to be changed in place. */
export function batchOf(frame: Uint8Array): FrameBatch {
  const batch = new FrameBatch(1, frame);
  batch.add(0, frame.length, frame.length, instant(1), LINKTYPE_ETHERNET);
  return batch;
}

/** A batch with copies of a frame one behind the other, to be changed in place. */
export function batchOfMany(frame: Uint8Array, copies: number): FrameBatch {
  const batch = new FrameBatch(copies, new Uint8Array(frame.length * copies));
  for (let i = 0; i < copies; i++) {
    batch.bytes.set(frame, i * frame.length);
    batch.add(i * frame.length, frame.length, frame.length, instant(1e15), LINKTYPE_ETHERNET);
  }
  return batch;
}

/** Makes the frame at `offset` one of connection `flow`. */
export function setFlow(view: DataView, flow: number, offset = 0): void {
  view.setUint32(offset + CLIENT_ADDRESS, 0x0a01_0000 + Math.floor(flow / PORTS));
  view.setUint16(offset + CLIENT_PORT, 1_024 + (flow % PORTS));
}
