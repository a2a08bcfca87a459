/**
 * Lets control connections in that begin with TLS. The first byte tells: a client that speaks plainly is told so in its
 * own words, instead of being left to guess why the connection was closed.
 *
 *     entered ─first byte 0x16─▶ TLS handshake ─▶ accepted
 *        │ another byte, silence     │ failure, too slow
 *        ▼                           ▼
 *     refused                     refused
 */
import type { Socket } from 'node:net';
import { createServer, type Server } from 'node:tls';
import type { ControlIdentity } from '../config/copy-options.ts';
import { REFUSED_TLS, TLS_HANDSHAKE_RECORD } from '../control/protocol.ts';
import { refusedMessage } from '../control/server-handshake.ts';
import { toMillis, type Duration } from '../core/time.ts';
import { Anteroom } from './anteroom.ts';
import { remoteAddressOf, remoteNameOf } from './remote-name.ts';

/** How long a refused connection may take to read why. */
const LINGER_MS = 1_000;

export interface TlsGateSetup {
  readonly identity: ControlIdentity;
  /** For the first byte, and again for the TLS handshake. */
  readonly timeout: Duration;
  /** Connections that may be on their way in; then some of those have to go. */
  readonly maxEntering: number;
  readonly accept: (socket: Socket) => void;
  readonly refused: (name: string, reason: string) => void;
}

export class TlsGate {
  readonly #setup: TlsGateSetup;
  readonly #server: Server;
  /** Of whom nothing has come yet, or who is being told why not. */
  readonly #waiting = new Set<Socket>();
  /** The two together. */
  readonly #entering: Anteroom<Socket>;
  /** In the TLS handshake, by remote address and port: the TLS socket is another object, with the same name. */
  readonly #shaking = new Map<string, Socket>();

  constructor(setup: TlsGateSetup) {
    this.#setup = setup;
    this.#entering = new Anteroom(setup.maxEntering);
    const { identity, timeout } = setup;
    this.#server = createServer({
      cert: identity.certificate,
      key: identity.key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: toMillis(timeout),
    });
    this.#server.on('secureConnection', (socket) => {
      this.#letIn(remoteNameOf(socket));
      setup.accept(socket);
    });
    this.#server.on('tlsClientError', (error, socket) => {
      // One that has gone has no name any more: the end of the socket below is what tells then.
      const name = remoteNameOf(socket);
      if (this.#shaking.delete(name)) setup.refused(name, `the TLS handshake failed: ${reasonOf(error)}`);
      socket.destroy();
    });
  }

  enter(socket: Socket): void {
    const { timeout, refused } = this.#setup;
    const name = remoteNameOf(socket);
    const crowdedOut = this.#entering.enter(socket, remoteAddressOf(socket));
    if (crowdedOut !== undefined) this.#crowdOut(crowdedOut);
    this.#waiting.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#waiting.delete(socket);
      this.#entering.leave(socket);
      if (this.#shaking.get(name) !== socket) return;
      this.#shaking.delete(name);
      refused(name, 'it broke off the TLS handshake; perhaps it does not trust the certificate');
    });
    socket.setTimeout(toMillis(timeout), () => {
      refused(name, 'it sent nothing');
      socket.destroy();
    });
    socket.once('data', (chunk) => {
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      if (chunk[0] === TLS_HANDSHAKE_RECORD) this.#shakeHands(socket, name, chunk);
      else this.#refusePlain(socket, name);
    });
  }

  /** Closes what is on its way in. */
  close(): void {
    const entering = [...this.#waiting, ...this.#shaking.values()];
    this.#shaking.clear();
    for (const socket of entering) socket.destroy();
  }

  #letIn(name: string): void {
    const plain = this.#shaking.get(name);
    this.#shaking.delete(name);
    if (plain !== undefined) this.#entering.leave(plain);
  }

  #crowdOut(socket: Socket): void {
    const name = remoteNameOf(socket);
    this.#shaking.delete(name);
    this.#setup.refused(name, 'others came while it was on its way in');
    socket.destroy();
  }

  #shakeHands(socket: Socket, name: string, first: Uint8Array): void {
    this.#waiting.delete(socket);
    this.#shaking.set(name, socket);
    socket.pause();
    socket.unshift(first);
    this.#server.emit('connection', socket);
  }

  #refusePlain(socket: Socket, name: string): void {
    this.#setup.refused(name, 'it does not speak TLS');
    socket.resume();
    socket.setTimeout(LINGER_MS, () => socket.destroy());
    socket.end(refusedMessage(REFUSED_TLS, 'the intercept speaks TLS only'));
  }
}

/** OpenSSL's messages hold addresses of code; its reasons are words. */
function reasonOf(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}
