/**
 * Hooks that protocol plugins add. A plugin declares their types by augmenting `ProtocolHooks` and provides them when it
 * is set up:
 *
 *     declare module 'tcpcopy/plugin' {
 *       interface ProtocolHooks { smtp: { request: RequestHook<SmtpCommand>; response: ResponseHook<SmtpReply> } }
 *     }
 *     hooks.provide('smtp', { hooks: { request: {...}, response: {...} }, codec: () => new SmtpCodec() });
 */
import type { Codec } from '../protocol/codec.ts';
import type { Dialogue } from '../protocol/dialogue.ts';
import type { ResponseOrigin, ResponseReader } from '../protocol/response-reader.ts';
import type { ConnectionInfo } from './hooks.ts';

/** Protocol name to its hooks, each one of the kinds below. */
export interface ProtocolHooks {
  /** Bytes that nobody reads have no hooks of their own. */
  readonly [OPAQUE]: Readonly<Record<never, never>>;
}

declare const OPAQUE: unique symbol;
declare const payload: unique symbol;

/** A message of the client's. The host calls it, in one order with the taps on `request`. */
export interface RequestHook<Message> {
  readonly role: 'request';
  readonly [payload]?: Message;
}

/** A message of the server's. The host calls it, in one order with the taps on `response`. */
export interface ResponseHook<Message> {
  readonly role: 'response';
  readonly [payload]?: Message;
}

/** A request with its responses. The host calls it, in one order with the taps on `exchange`. */
export interface ExchangeHook<Request, Response> {
  readonly role: 'exchange';
  readonly [payload]?: readonly [Request, Response];
}

/** Anything else worth telling, observed only. The protocol's plugin calls it. */
export interface EventHook<Payload> {
  readonly role: 'event';
  readonly [payload]?: Payload;
}

/** What a message does to the service: whether sending it to another may change data there. */
export const EFFECTS = ['read', 'write', 'unknown'] as const;
export type Effect = (typeof EFFECTS)[number];

export type ProtocolHookRole = 'request' | 'response' | 'exchange' | 'event';

/** What is told of a protocol's hook: the row it has in the documentation. */
export interface ProtocolHookRow<Role extends ProtocolHookRole = ProtocolHookRole> {
  /** At most one hook each of `request`, `response` and `exchange`. */
  readonly role: Role;
  /** The payload's type, by name. */
  readonly payload: string;
  readonly moment: string;
  readonly nothing: string;
}

export interface ProtocolDefinition<Declared = Readonly<Record<string, { readonly role: ProtocolHookRole }>>> {
  readonly hooks: {
    readonly [Name in keyof Declared]: Declared[Name] extends { readonly role: infer Role extends ProtocolHookRole }
      ? ProtocolHookRow<Role>
      : never;
  };
  /**
   * Whether bytes begin a message of this protocol; `more`: they may. Asked of the first bytes of a connection, and of
   * segments of one that was picked up in the middle. `connection` tells the port, for protocols that begin in no way of
   * their own.
   */
  readonly detect?: (
    bytes: Uint8Array,
    offset: number,
    length: number,
    connection: ConnectionInfo,
  ) => 'yes' | 'no' | 'more';
  /**
   * Whether a message of the client's, as it stands, reads or writes; `unknown` where that cannot be told, and of every
   * message where there is no such function. When in doubt say `write`: plugins keep writes away by it.
   */
  readonly effect?: (message: RequestMessage<Declared>) => Effect;
  /** Reads and cuts the bytes of one connection. `fromBoundary`: the first byte pushed begins a message. */
  readonly codec?: (connection: ConnectionInfo, fromBoundary: boolean) => Codec;
  /**
   * Reads what one server sends on one connection: a reader for each session to the target, and one for the online
   * server's bytes. Asked for only where somebody taps `response` or `exchange` of this protocol.
   */
  readonly responses?: (connection: ConnectionInfo, origin: ResponseOrigin) => ResponseReader;
  /**
   * Where the protocol has a part of its own in sessions to the target: logins, ids, state. One for each copy of a
   * connection, 0 for the first; it reads the target's responses in place of a reader, always.
   */
  readonly dialogue?: (connection: ConnectionInfo, copy: number) => Dialogue;
  /**
   * The dialogues want to hear what the online server answers (`heardOnline`). Then both directions are captured; without
   * such a wish, or a tap on `exchange`, only what clients send.
   */
  readonly onlineResponses?: boolean;
}

type RequestMessage<Declared> = {
  [Name in keyof Declared]: Declared[Name] extends RequestHook<infer Message> ? Message : never;
}[keyof Declared];

/** The hooks that the protocol's plugin calls itself. A payload is valid during the call. */
export type ProtocolEvents<Declared> = {
  readonly [
    Name in keyof Declared as Declared[Name] extends EventHook<unknown> ? Name : never
  ]: Declared[Name] extends EventHook<infer Payload> ? (payload: Payload, connection: ConnectionInfo) => void : never;
};

/**
 * A message that remembers its changes, so that those of a tap that fails half-way can be taken back. Without it a
 * failing tap's changes stay.
 */
export interface Revertible {
  /** How things stand now; asked before every tap, so it has to be cheap. */
  checkpoint(): unknown;
  /** Brings that state back. */
  revert(to: unknown): void;
}

/** A message that can be shown as it stands. */
export interface Serializable {
  /** Its bytes with all changes made so far; only the beginning where the rest streams past. */
  serialize(): Uint8Array;
}

/** A message that refers to captured bytes, which it must copy before anything is waited for. */
export interface Detachable {
  detach(): void;
}
