import type { Duration, Instant } from '../core/time.ts';
import type { Endpoint } from '../core/ip-address.ts';
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import type { Piece } from '../protocol/codec.ts';
import type { ClientEnd } from './replica-owner.ts';

/** Who drops a message, and why. */
export interface DroppedBy {
  /** `undefined`: an option of the run. */
  readonly plugin: string | undefined;
  readonly reason: string;
}

/** What became of a message in the pipeline. */
export interface Verdict {
  /** `undefined`: it goes on. */
  readonly dropped: DroppedBy | undefined;
  /** Its bytes differ from those captured. */
  readonly changed: boolean;
  /** How often it is sent. */
  readonly copies: number;
  readonly delayed: Duration;
}

/** Sees what the pipeline lets pass of one captured connection, beside the replicas. Pieces are valid during the call. */
export interface MessageObserver {
  /** A message begins: `piece` as it goes on or, where it is dropped, as captured. */
  begins(piece: Readonly<Piece>, protocol: string, verdict: Verdict): void;
  /** Bytes that go on, those of the first piece too. */
  bytes(piece: Readonly<Piece>): void;
  /** The capture lost bytes of the message under way: it ends here, and is not whole. */
  broken(): void;
  /** Bytes of the online server, in order, where they are captured; `undefined`: so many are missing. */
  serverBytes?(bytes: Uint8Array | undefined, offset: number, length: number, time: Instant): void;
  /** The client is done. `answers`: server bytes it had seen since its last message began. */
  ended(end: ClientEnd, answers: number): void;
}

/** Makes the observer of a connection; `undefined`: nobody looks at it. */
export type Observe = (info: ConnectionInfo, target: Endpoint) => MessageObserver | undefined;
