/** Feeds bytes to a request codec in given chunks, and tells what came out. */
import type { ClientBytes, Instant, Piece } from 'tcpcopy/plugin';
import { type HttpRequest, HttpRequestCodec, httpSettings, type HttpSettings } from '../../../plugins/http/index.ts';

export interface SeenMessage {
  readonly line: string;
  readonly request: HttpRequest;
  /** Bytes of the head as captured. */
  readonly head: number;
  /** The body on the wire, where it came in pieces of its own. */
  readonly bodyParts: Uint8Array[];
  complete: boolean;
  /** Bytes in all pieces up to the end of what there is of it. */
  end: number;
  readonly answers: number;
  readonly time: number;
}

export interface Transcript {
  readonly messages: SeenMessage[];
  /** All pieces, one after another. */
  readonly bytes: Uint8Array;
  /** Pieces that are not HTTP. */
  readonly rawBytes: number;
  readonly refusedBytes: number;
  readonly unparsable: string | undefined;
  readonly codec: HttpRequestCodec;
}

export interface FeedOptions {
  readonly fromSyn?: boolean;
  readonly end?: boolean;
  readonly settings?: Partial<HttpSettings>;
  /** Called for each piece with `first` that has a message; may change it. */
  readonly edit?: (request: HttpRequest) => void;
}

export function text(latin1: string): Uint8Array {
  return Uint8Array.from(Buffer.from(latin1, 'latin1'));
}

/** Cuts before every offset in `cuts`. */
export function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [0, ...[...new Set(cuts)].sort((a, b) => a - b), bytes.length];
  return edges.slice(1).flatMap((end, i) => (end > edges[i]! ? [bytes.subarray(edges[i], end)] : []));
}

export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
}

/** What is known of the body: its content when it was held, else what of it came on the wire. */
export function bodyOf({ request, bodyParts }: SeenMessage): Uint8Array {
  return request.body ?? Uint8Array.from(Buffer.concat(bodyParts));
}

export function contentOf(piece: Piece): Uint8Array {
  return Uint8Array.from(piece.bytes.subarray(piece.offset, piece.offset + piece.length));
}

/** A push whose bytes lie in the middle of memory that is overwritten afterwards, as those of a capture are. */
export class Pusher {
  readonly #memory = new Uint8Array(1 << 17);
  #time = 0;
  #used = 0;

  input(chunk: Uint8Array, serverBytesSeen = 0): ClientBytes {
    const offset = 3 + (this.#time % 7);
    this.#memory.fill(0x47, 0, this.#used);
    this.#memory.set(chunk, offset);
    this.#used = offset + chunk.length;
    return { bytes: this.#memory, offset, length: chunk.length, time: ++this.#time as Instant, serverBytesSeen };
  }
}

export function feed(chunks: readonly Uint8Array[], options: FeedOptions = {}): Transcript {
  const codec = new HttpRequestCodec(options.fromSyn ?? true, httpSettings(options.settings));
  const pusher = new Pusher();
  const messages: SeenMessage[] = [];
  const parts: Uint8Array[] = [];
  let emitted = 0;
  const seen = { rawBytes: 0, refusedBytes: 0, unparsable: undefined as string | undefined };
  const drain = () => {
    for (let piece = codec.next(); piece !== undefined; piece = codec.next()) {
      const request = piece.message;
      const captured = piece.length;
      if (request !== undefined) {
        options.edit?.(request);
        piece.encode();
        const { answers, time } = piece;
        const line = `${request.method} ${request.target}`;
        const [complete, end] = [piece.last, emitted + piece.length];
        messages.push({ line, request, head: captured, bodyParts: [], complete, end, answers, time });
      } else if (piece.first || piece.unparsable !== undefined || messages.at(-1)?.complete !== false) {
        seen.rawBytes += piece.length;
        if (piece.refused) seen.refusedBytes += piece.length;
        seen.unparsable ??= piece.unparsable;
      } else {
        const message = messages.at(-1)!;
        message.bodyParts.push(contentOf(piece));
        message.complete = piece.last;
        message.end = emitted + piece.length;
      }
      emitted += piece.length;
      parts.push(contentOf(piece));
    }
  };
  for (const chunk of chunks) {
    codec.push(pusher.input(chunk));
    drain();
  }
  if (options.end === true) {
    codec.end();
    drain();
  }
  return { messages, bytes: Uint8Array.from(Buffer.concat(parts)), ...seen, codec };
}
