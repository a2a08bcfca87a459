/**
 * Packets of the client/server protocol: three bytes of length (little endian), one of sequence, then the payload. One of
 * the longest there is goes on in the packet behind it; so a payload ends with a shorter packet, which may be empty.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
 */
import { HEADER_LENGTH, LONGEST_PAYLOAD } from './login/packet-writer.ts';

export { HEADER_LENGTH, LONGEST_PAYLOAD };

/** The length in the header that begins at `at`. */
export function payloadLength(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
}

/** `payload`, of whatever length, in packets that are numbered from `sequence` on. */
export function toPackets(payload: Uint8Array, sequence = 0): Buffer {
  const count = Math.floor(payload.length / LONGEST_PAYLOAD) + 1;
  const packets = Buffer.allocUnsafe(payload.length + count * HEADER_LENGTH);
  for (let i = 0, at = 0; i < count; i++) {
    const part = payload.subarray(i * LONGEST_PAYLOAD, (i + 1) * LONGEST_PAYLOAD);
    packets.writeUIntLE(part.length, at, 3);
    packets[at + 3] = (sequence + i) & 0xff;
    packets.set(part, at + HEADER_LENGTH);
    at += HEADER_LENGTH + part.length;
  }
  return packets;
}

/** The payload of the packets at the beginning of `bytes`, joined, as far as it is there. A view where it is one packet. */
export function payloadOf(bytes: Buffer): Buffer {
  const length = payloadLength(bytes, 0);
  if (length < LONGEST_PAYLOAD) return bytes.subarray(HEADER_LENGTH, HEADER_LENGTH + length);
  const parts: Buffer[] = [];
  for (let at = 0, more = true; more && at + HEADER_LENGTH <= bytes.length;) {
    const part = payloadLength(bytes, at);
    parts.push(bytes.subarray(at + HEADER_LENGTH, at + HEADER_LENGTH + part));
    at += HEADER_LENGTH + part;
    more = part === LONGEST_PAYLOAD;
  }
  return Buffer.concat(parts);
}
