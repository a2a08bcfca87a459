/** Packets of a login, put together from bytes that come cut anywhere: they are short, and answered one by one. */
import { HEADER_LENGTH, payloadLength } from './packet.ts';

/** No login has a longer packet; what comes ahead of one that is answered is not more either. */
const LIMIT = 64 << 10;

export class PacketAssembler {
  /** Too much has come. */
  overflow = false;
  #bytes: Uint8Array = new Uint8Array(0);

  /** Copies what it is given. */
  push(bytes: Uint8Array, offset: number, length: number): void {
    if (this.#bytes.length + length > LIMIT) {
      this.overflow = true;
      return;
    }
    this.#bytes = Buffer.concat([this.#bytes, bytes.subarray(offset, offset + length)]);
  }

  /** The next whole packet; what it gives is valid until the next call. */
  next(): { readonly sequence: number; readonly payload: Uint8Array } | undefined {
    const bytes = this.#bytes;
    if (bytes.length < HEADER_LENGTH) return undefined;
    const end = HEADER_LENGTH + payloadLength(bytes, 0);
    if (bytes.length < end) return undefined;
    this.#bytes = bytes.subarray(end);
    return { sequence: bytes[3]!, payload: bytes.subarray(HEADER_LENGTH, end) };
  }

  /** What is behind the last packet, which is taken out. */
  rest(): Uint8Array {
    const rest = this.#bytes;
    this.#bytes = new Uint8Array(0);
    return rest;
  }
}
