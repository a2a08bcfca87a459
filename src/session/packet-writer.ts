/** Puts one segment of a session into a packet batch. */
import type { Endpoint } from '../core/ip-address.ts';
import type { PacketBatch } from '../core/packet-batch.ts';
import { headersLength, TcpHeader, writeTcpPacket } from '../wire/tcp-writer.ts';
import type { SendBuffer } from './send-buffer.ts';

/**
 * One header for all sessions: a packet is filled in and written in one go, and nothing is kept of it. Sessions set
 * `seq`, `ack`, `flags`, `window` and the options; `writeSegment` the rest.
 */
export const outgoing = new TcpHeader();

/**
 * Writes `outgoing` with `length` bytes of `payload`, from the one `start` bytes behind its head on. More than `segment` of
 * them make a large packet.
 */
export function writeSegment(
  batch: PacketBatch,
  at: number,
  local: Endpoint,
  remote: Endpoint,
  payload: SendBuffer,
  start: number,
  length: number,
  segment: number,
): void {
  const from = local.address;
  const to = remote.address;
  outgoing.ipVersion = to.version;
  outgoing.src0 = from.w0;
  outgoing.src1 = from.w1;
  outgoing.src2 = from.w2;
  outgoing.src3 = from.w3;
  outgoing.dst0 = to.w0;
  outgoing.dst1 = to.w1;
  outgoing.dst2 = to.w2;
  outgoing.dst3 = to.w3;
  outgoing.srcPort = local.port;
  outgoing.dstPort = remote.port;
  outgoing.identification = (outgoing.identification + 1) & 0xffff;
  // The payload is gathered from the send buffer's blocks straight into its place; the writer only sums it up.
  if (length > 0) payload.copyTo(start, length, batch.bytes, batch.view, at + headersLength(outgoing));
  const large = length > segment;
  const written = writeTcpPacket(batch.bytes, batch.view, at, outgoing, undefined, 0, length, large);
  batch.commit(written, large ? segment : 0);
}
