/**
 * The intercept's side of the handshake, without a socket.
 *
 *     waiting ──HELLO──▶ welcomed                                   (no key)
 *     waiting ──HELLO / CHALLENGE──▶ challenged ──PROOF──▶ welcomed
 *
 * Everything else is answered by REFUSED and closed. The client proves itself first, so that a stranger who merely
 * connects gets nothing signed with the key. The intercept signs its WELCOME.
 */
import { TcpcopyError } from '../core/errors.ts';
import { encode } from './encoder.ts';
import { CLIENT_LABEL, makeProof, proofsEqual, SERVER_LABEL, type Hmac } from './handshake-proof.ts';
import type { Hello, Message, Proof, Welcome } from './messages.ts';
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
  REFUSED_PROTOCOL,
  REFUSED_VERSION,
  WELCOME,
} from './protocol.ts';

export interface ServerIdentity {
  readonly interceptId: Uint8Array;
  readonly key: string | undefined;
  readonly software: string;
  /** Milliseconds. */
  readonly leaseSilence: number;
}

export type ServerStep =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'welcomed'; readonly bytes: Uint8Array; readonly hello: Hello }
  /** Send the bytes, then close. */
  | { readonly kind: 'refused'; readonly bytes: Uint8Array; readonly error: TcpcopyError };

export class ServerHandshake {
  readonly #identity: ServerIdentity;
  readonly #hmac: Hmac;
  readonly #nonce: Uint8Array;
  #hello: Hello | undefined;
  #challenge: Uint8Array | undefined;

  /** `nonce`: fresh random bytes for this connection. */
  constructor(identity: ServerIdentity, hmac: Hmac, nonce: Uint8Array) {
    this.#identity = identity;
    this.#hmac = hmac;
    this.#nonce = nonce;
  }

  handle(message: Message): ServerStep {
    if (message.type === HELLO && this.#hello === undefined) return this.#handleHello(message);
    if (message.type === PROOF && this.#hello !== undefined && this.#challenge !== undefined) {
      return this.#handleProof(message, this.#hello, this.#challenge);
    }
    return refuse(REFUSED_PROTOCOL, `${MESSAGE_NAMES[message.type]} is out of place in the handshake`);
  }

  #handleHello(hello: Hello): ServerStep {
    this.#hello = hello;
    if (hello.versionMin > PROTOCOL_MAX || hello.versionMax < PROTOCOL_MIN) {
      return refuse(
        REFUSED_VERSION,
        `tcpcopy speaks control-channel versions ${hello.versionMin} to ${hello.versionMax}, this intercept ${PROTOCOL_MIN} to ${PROTOCOL_MAX}`,
      );
    }
    const hasKey = this.#identity.key !== undefined;
    if (hasKey && !hello.hasKey) return refuse(REFUSED_AUTH, 'the intercept has a key, this tcpcopy has none');
    if (!hasKey && hello.hasKey) return refuse(REFUSED_AUTH, 'this tcpcopy has a key, the intercept has none');
    if (!hasKey) return this.#welcome(hello, new Uint8Array(0));
    this.#challenge = encode({ type: CHALLENGE, version: agreed(hello), nonce: this.#nonce });
    return { kind: 'send', bytes: this.#challenge };
  }

  #handleProof(message: Proof, hello: Hello, challenge: Uint8Array): ServerStep {
    const key = this.#identity.key ?? '';
    const helloBytes = encode(hello);
    if (!proofsEqual(makeProof(this.#hmac, key, CLIENT_LABEL, helloBytes, challenge), message.proof)) {
      return refuse(REFUSED_AUTH, 'this tcpcopy has another key than the intercept');
    }
    return this.#welcome(hello, makeProof(this.#hmac, key, SERVER_LABEL, helloBytes, challenge));
  }

  #welcome(hello: Hello, proof: Uint8Array): ServerStep {
    const { interceptId, leaseSilence, software } = this.#identity;
    const version = agreed(hello);
    const welcome: Welcome = {
      type: WELCOME,
      version,
      capabilities: CAPABILITIES,
      interceptId,
      leaseSilence,
      proof,
      software,
    };
    return { kind: 'welcomed', bytes: encode(welcome), hello };
  }
}

/** What to send to a connection that is not wanted, in the handshake or later. */
export function refusedMessage(reason: number, text: string): Uint8Array {
  return encode({ type: REFUSED, reason, versionMin: PROTOCOL_MIN, versionMax: PROTOCOL_MAX, text });
}

function refuse(reason: number, text: string): ServerStep {
  const code =
    reason === REFUSED_VERSION
      ? 'E_CONTROL_VERSION'
      : reason === REFUSED_AUTH
        ? 'E_CONTROL_AUTH'
        : 'E_CONTROL_PROTOCOL';
  return { kind: 'refused', bytes: refusedMessage(reason, text), error: new TcpcopyError(code, text) };
}

/** The newest version that both ends speak. */
function agreed(hello: Hello): number {
  return Math.min(hello.versionMax, PROTOCOL_MAX);
}
