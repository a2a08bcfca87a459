/**
 * The codec contract: bytes of a connection in, pieces of messages out.
 *
 * A codec is made per connection. The engine pushes client bytes as reassembly delivers them and takes pieces until
 * there are none. A message may span many pieces (bodies stream; nothing is held whole), and a piece never spans two
 * messages. All bytes are valid until the next `push`.
 */
import type { Instant } from '../core/time.ts';

/** Client bytes in order, with what reassembly knows of them. */
export interface ClientBytes {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
  /** When the segment that carried them was captured. */
  readonly time: Instant;
  /** Server bytes that the client had seen beyond what it had seen with the push before; 0 when none. */
  readonly serverBytesSeen: number;
}

/** Part of one message. One instance per codec, reused. */
export interface Piece {
  bytes: Uint8Array;
  offset: number;
  length: number;
  time: Instant;
  /** It begins a message. */
  first: boolean;
  /** It ends one. A codec that cannot tell leaves it false: the message then ends where the next begins. */
  last: boolean;
  /**
   * Only with `first`: server bytes the client had seen since its previous message, but for those of `awaits`. The message is an answer to them,
   * so a paced replay holds it back until the target has said as much. 0: it did not wait for anything.
   */
  answers: number;
  /**
   * With the first bytes after a pause inside a message in which the client waited for the server (100 Continue): server
   * bytes it had seen since it sent what comes before. A paced replay waits there too, for a short while. Else 0.
   */
  readonly awaits?: number;
  /**
   * Only with `first`: the message makes sense only in the session that has what came before it, as the bytes of a tunnel do.
   * When that session is over, or something was left out before it, the message is counted with what was lost, and no fresh
   * session is opened for it.
   */
  readonly sameSession?: boolean;
  /** These bytes could not be read as the protocol and are not to be sent: the message they belong to is lost. */
  readonly refused?: boolean;
  /** Only with `first`, from codecs that read messages: the message, for plugins to look at and change. */
  readonly message?: unknown;
  /** Puts the bytes of a changed message in place of those captured. */
  encode?(): void;
}

export interface Codec {
  readonly protocol: string;
  push(input: ClientBytes): void;
  /** The next piece, valid until the next call of any method, or `undefined` when more bytes are needed. */
  next(): Piece | undefined;
  /**
   * Client bytes are missing from the capture at this point. The message they belong to is lost; the codec finds the
   * next one. Returns whether a message was open and is now broken.
   */
  gap(length: number): boolean;
  /**
   * The client will send no more: what is held of a message that is not complete becomes pieces, which `next` gives.
   * Codecs that hold nothing leave it out.
   */
  end?(): void;
  /** Client bytes swallowed while looking for a boundary, since the connection began. */
  readonly skippedBytes: number;
  /** Messages (or unreadable stretches) swallowed likewise. */
  readonly skippedMessages: number;
}
