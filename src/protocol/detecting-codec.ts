/**
 * Finds out which protocol a connection speaks, from the first bytes that can tell, and is that protocol's codec from
 * then on.
 *
 * Theory of operation. Seen from its SYN, a connection is judged by its first bytes; what cannot be judged yet (a request
 * line in two segments) is given the benefit of the doubt, since a codec that finds out better passes the bytes on as
 * they are. Picked up in the middle, or after a gap before the judgement, bytes are skipped until a segment begins with
 * something recognised, or until a turn begins, where opaque bytes can join too.
 */
import type { ClientBytes, Codec, Piece } from './codec.ts';
import { OpaqueCodec } from './opaque-codec.ts';

/** A protocol that can be recognised by what clients send first. */
export interface DetectableProtocol {
  /** `more`: these bytes may be the beginning of it. */
  detect(bytes: Uint8Array, offset: number, length: number): 'yes' | 'no' | 'more';
  /** `fromBoundary`: the first byte pushed begins a message. */
  codec(fromBoundary: boolean): Codec;
}

export class DetectingCodec implements Codec {
  readonly #protocols: readonly DetectableProtocol[];
  #onBoundary: boolean;
  #codec: Codec | undefined;
  #skippedBytes = 0;
  #skippedMessages = 0;
  #skipping = false;

  /** `fromSyn`: the first byte pushed is the first of the connection. */
  constructor(protocols: readonly DetectableProtocol[], fromSyn: boolean) {
    this.#protocols = protocols;
    this.#onBoundary = fromSyn;
  }

  get protocol(): string {
    return this.#codec?.protocol ?? 'unknown';
  }

  get skippedBytes(): number {
    return this.#skippedBytes + (this.#codec?.skippedBytes ?? 0);
  }

  get skippedMessages(): number {
    return this.#skippedMessages + (this.#codec?.skippedMessages ?? 0);
  }

  push(input: ClientBytes): void {
    this.#codec ??= this.#choose(input);
    if (this.#codec !== undefined) this.#codec.push(input);
    else this.#skip(input.length);
  }

  next(): Piece | undefined {
    return this.#codec?.next();
  }

  gap(length: number): boolean {
    if (this.#codec !== undefined) return this.#codec.gap(length);
    this.#onBoundary = false;
    this.#skip(length);
    return false;
  }

  end(): void {
    this.#codec?.end?.();
  }

  #choose(input: ClientBytes): Codec | undefined {
    const boundary = this.#onBoundary || input.serverBytesSeen > 0;
    for (const protocol of this.#protocols) {
      const verdict = protocol.detect(input.bytes, input.offset, input.length);
      if (verdict === 'yes' || (verdict === 'more' && boundary)) return protocol.codec(boundary);
    }
    return boundary ? new OpaqueCodec(true) : undefined;
  }

  #skip(length: number): void {
    if (!this.#skipping) this.#skippedMessages++;
    this.#skipping = true;
    this.#skippedBytes += length;
  }
}
