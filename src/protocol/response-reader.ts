/**
 * The response side of a protocol: what a server sends on one connection, read as messages, and when the response to a
 * request is whole.
 *
 * Theory of operation. A reader is made for one stream of a server's bytes: one for each session to the target, one for
 * the online server's half of a captured connection. It is told of every request in the order they are sent (`sent`), is
 * given the server's bytes in order (`push`), and is asked for messages until there are none (`next`). Responses answer
 * requests in order: the message that `completes` ends the response to the oldest request that still waits for one.
 *
 * A reader that cannot go on (bytes that are not the protocol's, bytes missing, another protocol from here on) says so
 * with `reading`; it is not given any more then, and the session goes on unread. Whatever a reader holds has a limit.
 */
/** Whose responses: those to what was sent to the target, or those that clients got. */
export type ResponseOrigin = 'target' | 'online';

/** What a server said: a whole response, part of one, or something nobody asked for. */
export interface ServerMessage {
  /** What taps on `response` are shown. It owns its bytes and may be kept. */
  readonly message: unknown;
  /** The response to the oldest request that waits for one is whole with it. */
  readonly completes: boolean;
  /** It says that the server itself has failed (HTTP 5xx), not that the request was wrong. */
  readonly failed?: boolean;
}

export interface ResponseReader {
  /**
   * A request goes to the server. `message`: what the codec made of it, for the target after plugins had it; `undefined`
   * where the codec could not read it. Take what is needed now: it may be changed afterwards. Returns whether the protocol
   * answers it at all.
   */
  sent(message: unknown): boolean;
  /** Bytes of the server, in order; valid until `next` has returned `undefined`. */
  push(bytes: Uint8Array, offset: number, length: number): void;
  /** The next message; the object is valid until the next call, what is in it longer. */
  next(): ServerMessage | undefined;
  /** `length` bytes of the server are missing here. Readers that cannot go on behind it leave this out. */
  gap?(length: number): void;
  /** The server has closed in good order: `next` gives what ends with that. */
  end(): void;
  /** Whether the ends of responses are known. Once false it stays so. */
  readonly reading: boolean;
  /** What was wrong, where `reading` is false for a fault of the bytes: a few constant words. */
  readonly failure: string | undefined;
  /** The server has said that it takes no more requests on this connection. */
  readonly closes?: boolean;
}
