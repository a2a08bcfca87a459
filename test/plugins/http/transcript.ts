/** Feeds bytes to a request codec in given chunks, and tells what came out. */
import { type HttpRequest, HttpRequestCodec, httpSettings, type HttpSettings } from '../../../plugins/http/index.ts';
import { contentOf, Pusher } from '../../support/codec-driving.ts';

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

/** What is known of the body: its content when it was held, else what of it came on the wire. */
export function bodyOf({ request, bodyParts }: SeenMessage): Uint8Array {
  return request.body ?? Uint8Array.from(Buffer.concat(bodyParts));
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
