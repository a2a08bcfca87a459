/**
 * A dialogue: the part that a protocol plays itself in sessions to the target. It logs in with the target's own challenge,
 * puts the target's ids in place of those the online server gave, and gives a fresh session the state that was built up in
 * the one before. Protocols whose requests are good for any server need none.
 *
 * Theory of operation. There is one dialogue for each copy of a connection, from its first message on; it goes through the
 * sessions of that copy one after another. It does no I/O and knows no time: it is told what happens, and asked for what is
 * to be sent.
 *
 *     opened ─▶ (push, next; transmit)… ─▶ prepare request ─▶ sent ─▶ (push, next; transmit)… ─▶ prepare request …
 *                                             └ wait: asked again after every input
 *
 * After every input the engine takes messages (`next`) until there are none, sends what the dialogue itself has to say
 * (`transmit`), and asks for the oldest request that has not gone (`prepare`). A server that speaks first is heard from its
 * first byte, though the protocol is recognised by what the client sends. What a dialogue itself sends, and the answers
 * to it, are its own affair: `next` gives those messages only that taps should see.
 *
 * A session ends when the target ends it, or when the dialogue cannot read it any more (`reading`). The next request opens
 * a fresh one, and `opened` is called again. A request that waited in a session which ended before any other had gone
 * is counted as lost there: a target that takes no login is not asked for ever.
 */
import type { ResponseReader, ServerMessage } from './response-reader.ts';

/** A request whose turn it is. */
export interface OutgoingRequest {
  /** What the codec made of it, after plugins had it; `undefined` where the codec could not read it. Not to be changed. */
  readonly message: unknown;
  /**
   * Its first piece, as plugins left it; valid during the call. A codec whose dialogue changes requests puts all that may
   * have to be changed into the first piece.
   */
  readonly bytes: Uint8Array;
}

/** What is to become of a request. */
export type Preparation =
  /** Nothing yet: the login is not done, or something else has to come first. */
  | 'wait'
  /** It goes as it is. */
  | 'send'
  /**
   * These bytes go in place of its first piece, or of the whole of it. They are not changed afterwards.
   */
  | { readonly bytes: Uint8Array; readonly instead: 'first-piece' | 'whole' }
  /** It cannot be replayed. The reason is counted and printed: a few constant words. */
  | { readonly refuse: string };

export interface Dialogue extends ResponseReader {
  /** A session opens. What was said in the one before is void. */
  opened(): void;
  /**
   * The turn of a request has come. It may be asked about again before it goes. `sent` follows with its first byte, and
   * says whether it has a response.
   */
  prepare(request: OutgoingRequest): Preparation;
  /** What the dialogue itself has to send, before any further request; `undefined`: nothing. Not changed afterwards. */
  transmit(): Uint8Array | undefined;
  /**
   * The online server has said something, where the protocol asks to be told (`onlineResponses`). `request`: the message
   * whose response is whole with it, the same object that `prepare` and `sent` are given: mostly before these, since the
   * target is behind.
   */
  heardOnline?(said: ServerMessage, request: unknown): void;
  /**
   * Why nothing can be replayed on this connection at all, such as a login that the target refuses: a few constant words,
   * counted and printed, without a secret. The session ends, and the copy with it.
   */
  readonly fault: string | undefined;
}
