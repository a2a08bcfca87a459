/**
 * tcpcopy's side of the handshake, without a socket.
 *
 *     start ──HELLO──▶ greeted ──WELCOME──▶ welcomed                      (no key)
 *                      greeted ──CHALLENGE / PROOF──▶ proved ──WELCOME──▶ welcomed
 *
 * REFUSED ends it in any state, as does every other message. With a key, only an intercept that proves to have the same
 * key is accepted: one that does not ask for it is refused from here.
 */
import { TcpcopyError } from '../core/errors.ts';
import { encode } from './encoder.ts';
import { CLIENT_LABEL, makeProof, proofsEqual, SERVER_LABEL, type Hmac } from './handshake-proof.ts';
import type { Challenge, Hello, Message, Refused, Welcome } from './messages.ts';
import {
  CAPABILITIES,
  CHALLENGE,
  HELLO,
  MESSAGE_NAMES,
  PROOF,
  PROTOCOL_MAX,
  PROTOCOL_MIN,
  REFUSED,
  REFUSED_AUTH,
  REFUSED_TLS,
  REFUSED_VERSION,
  WELCOME,
} from './protocol.ts';

export interface ClientIdentity {
  readonly instanceId: Uint8Array;
  readonly connectionIndex: number;
  readonly connections: number;
  readonly key: string | undefined;
  readonly software: string;
  /** Fresh random bytes for this connection. */
  readonly nonce: Uint8Array;
}

export type ClientStep =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'welcomed'; readonly welcome: Welcome }
  | { readonly kind: 'failed'; readonly error: TcpcopyError };

export class ClientHandshake {
  readonly #identity: ClientIdentity;
  readonly #hmac: Hmac;
  readonly #hello: Uint8Array;
  #challenge: Uint8Array | undefined;

  constructor(identity: ClientIdentity, hmac: Hmac) {
    this.#identity = identity;
    this.#hmac = hmac;
    const hello: Hello = {
      type: HELLO,
      versionMin: PROTOCOL_MIN,
      versionMax: PROTOCOL_MAX,
      instanceId: identity.instanceId,
      connectionIndex: identity.connectionIndex,
      connections: identity.connections,
      hasKey: identity.key !== undefined,
      capabilities: CAPABILITIES,
      nonce: identity.nonce,
      software: identity.software,
    };
    this.#hello = encode(hello);
  }

  /** The bytes to send first. */
  hello(): Uint8Array {
    return this.#hello;
  }

  handle(message: Message): ClientStep {
    switch (message.type) {
      case CHALLENGE:
        return this.#handleChallenge(message);
      case WELCOME:
        return this.#handleWelcome(message);
      case REFUSED:
        return failed(refusal(message));
      default:
        return failed(unexpected(message));
    }
  }

  #handleChallenge(message: Challenge): ClientStep {
    const { key } = this.#identity;
    if (this.#challenge !== undefined) return failed(unexpected(message));
    if (key === undefined) return failed(authError('the intercept has a key, this tcpcopy has none'));
    const version = checkVersion(message.version);
    if (version !== undefined) return failed(version);
    this.#challenge = encode(message);
    const proof = makeProof(this.#hmac, key, CLIENT_LABEL, this.#hello, this.#challenge);
    return { kind: 'send', bytes: encode({ type: PROOF, proof }) };
  }

  #handleWelcome(message: Welcome): ClientStep {
    const version = checkVersion(message.version);
    if (version !== undefined) return failed(version);
    const { key } = this.#identity;
    if (key !== undefined) {
      if (this.#challenge === undefined) return failed(authError('this tcpcopy has a key, the intercept has none'));
      const proof = makeProof(this.#hmac, key, SERVER_LABEL, this.#hello, this.#challenge);
      if (!proofsEqual(proof, message.proof)) return failed(authError('the intercept has another key'));
    }
    return { kind: 'welcomed', welcome: message };
  }
}

function failed(error: TcpcopyError): ClientStep {
  return { kind: 'failed', error };
}

function unexpected(message: Message): TcpcopyError {
  return new TcpcopyError(
    'E_CONTROL_PROTOCOL',
    `the intercept sent ${MESSAGE_NAMES[message.type]} during the handshake`,
  );
}

function authError(message: string): TcpcopyError {
  return new TcpcopyError('E_CONTROL_AUTH', message, { hint: 'give both programs the same control key' });
}

function checkVersion(version: number): TcpcopyError | undefined {
  if (version >= PROTOCOL_MIN && version <= PROTOCOL_MAX) return undefined;
  return versionError(version, version);
}

function versionError(theirMin: number, theirMax: number): TcpcopyError {
  const range = (min: number, max: number) => (min === max ? `version ${min}` : `versions ${min} to ${max}`);
  return new TcpcopyError(
    'E_CONTROL_VERSION',
    `this tcpcopy speaks control-channel ${range(PROTOCOL_MIN, PROTOCOL_MAX)}, the intercept ${range(theirMin, theirMax)}`,
    { hint: 'install the same release on both hosts' },
  );
}

function refusal(message: Refused): TcpcopyError {
  switch (message.reason) {
    case REFUSED_VERSION:
      return versionError(message.versionMin, message.versionMax);
    case REFUSED_AUTH:
      return authError(message.text);
    case REFUSED_TLS:
      return new TcpcopyError('E_CONTROL_TLS', message.text, { hint: 'add --tls, or --tls-ca with the CA to trust' });
    default:
      return new TcpcopyError('E_CONTROL_PROTOCOL', `the intercept refused the connection: ${message.text}`);
  }
}
