/**
 * One control connection of a tcpcopy. It reads and checks what comes, hands messages to its owner, and collects
 * responses in a batch that goes out with one write per turn of the capture loop.
 *
 * A tcpcopy that reads too slowly costs only itself: while its socket holds more than the cap, batches for it are
 * dropped and counted. Nothing waits.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { TcpcopyError, type ErrorCode } from '../core/errors.ts';
import type { Instant } from '../core/time.ts';
import { Decoder } from '../control/decoder.ts';
import { encode } from '../control/encoder.ts';
import type { ControlMessage, Hello, Message } from '../control/messages.ts';
import { MAX_MESSAGE, REFUSED_BUSY, REFUSED_PROTOCOL } from '../control/protocol.ts';
import type { ResponseWriter } from '../control/response-writer.ts';
import { refusedMessage, type ServerHandshake } from '../control/server-handshake.ts';
import type { Segment } from '../wire/segment.ts';
import type { Instance } from './instance.ts';
import { remoteAddressOf, remoteNameOf } from './remote-name.ts';

/** How long a refused connection may take to read why. */
const LINGER_MS = 1_000;

/** Why a connection is refused, or thrown out for what it sends. */
export const REFUSALS = ['version', 'key', 'protocol', 'busy', 'too-slow', 'crowded-out', 'tls'] as const;
export type Refusal = (typeof REFUSALS)[number];

const REFUSAL_OF: Partial<Record<ErrorCode, Refusal>> = { E_CONTROL_VERSION: 'version', E_CONTROL_AUTH: 'key' };

export interface PeerOwner {
  /** Coarse time, for `heard`. */
  readonly time: Instant;
  /** The handshake is done: takes the peer in, or says why not. */
  admit(peer: Peer, hello: Hello): Instance | string;
  received(peer: Peer, instance: Instance, message: Message): void;
  /** The last call; `reason` when it was not the other end that closed, `refusal` when it is not wanted here. */
  closed(peer: Peer, reason: string | undefined, refusal: Refusal | undefined): void;
}

export class Peer {
  /** For messages: the remote address and port. */
  readonly name: string;
  readonly address: string;
  readonly openedAt: Instant;
  /** When something last arrived. */
  heard: Instant;
  /** Which of its instance's connections this is. */
  index = 0;
  instance: Instance | undefined;
  /** Segments written, and dropped because the socket was full. */
  forwarded = 0;
  dropped = 0;
  /** It has said BYE: its lease need not be kept. */
  leaving = false;
  readonly #socket: Socket;
  readonly #owner: PeerOwner;
  readonly #handshake: ServerHandshake;
  readonly #decoder = new Decoder();
  readonly #batch: ResponseWriter;
  readonly #outputCap: number;
  /** With TLS: bytes are never gone when `write` returns. */
  readonly #queues: boolean;
  #open = true;

  /** `outputCap`: bytes that may wait in the socket. */
  constructor(socket: Socket, handshake: ServerHandshake, owner: PeerOwner, batch: ResponseWriter, outputCap: number) {
    this.#socket = socket;
    this.#handshake = handshake;
    this.#owner = owner;
    this.#batch = batch;
    this.#outputCap = outputCap;
    this.#queues = socket instanceof TLSSocket;
    this.address = remoteAddressOf(socket);
    this.name = remoteNameOf(socket);
    this.openedAt = this.heard = owner.time;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (error) => this.close(error.message));
    socket.on('close', () => this.close());
  }

  /** Bytes that wait in the socket. */
  get waiting(): number {
    return this.#socket.writableLength;
  }

  /** A connection that asks on and on without reading the answers is closed. */
  send(message: ControlMessage): void {
    if (!this.#open) return;
    if (this.waiting > this.#outputCap + MAX_MESSAGE) this.close('reads no answers');
    else this.#socket.write(encode(message));
  }

  /** Adds a segment to the batch; true when it is the first, so that `flush` is due. */
  add(segment: Segment, maxPayload: number): boolean {
    if (!this.#batch.add(segment, maxPayload)) {
      this.flush();
      this.#batch.add(segment, maxPayload);
    }
    return this.#batch.records === 1;
  }

  /** Writes the batch, or drops it when too much is waiting already. */
  flush(): void {
    const batch = this.#batch;
    if (batch.records === 0) return;
    if (!this.#open || this.#socket.writableLength + batch.length > this.#outputCap) {
      this.#dropBatch();
      return;
    }
    this.forwarded += batch.records;
    batch.finish();
    if (this.#queues || this.#socket.writableLength > 0) {
      // It will be waiting for its turn, and need not keep the whole of the batch's memory meanwhile.
      this.#socket.write(batch.bytes.slice(0, batch.length));
      batch.clear();
      return;
    }
    this.#socket.write(batch.bytes.subarray(0, batch.length));
    // Usually the kernel has taken all of it at once, and the memory is ours again.
    if (this.#socket.writableLength === 0) batch.clear();
    else batch.renew();
  }

  /** Ends the connection at once. */
  close(reason?: string, refusal?: Refusal): void {
    if (!this.#open) return;
    this.#open = false;
    this.#dropBatch();
    this.#socket.destroy();
    this.#owner.closed(this, reason, refusal);
  }

  /** Ends it after `bytes` have been taken by the other side, or a second; resolves then. */
  closeAfter(bytes: Uint8Array, reason: string | undefined, refusal?: Refusal): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#open = false;
    this.#dropBatch();
    const socket = this.#socket;
    socket.removeAllListeners('data');
    socket.resume();
    socket.setTimeout(LINGER_MS, () => socket.destroy());
    socket.end(bytes);
    this.#owner.closed(this, reason, refusal);
    return new Promise((resolve) => socket.once('close', () => resolve()));
  }

  #dropBatch(): void {
    this.dropped += this.#batch.records;
    this.#batch.clear();
  }

  #read(chunk: Uint8Array): void {
    this.heard = this.#owner.time;
    this.#decoder.push(chunk);
    try {
      for (let message = this.#decoder.next(); message !== undefined; message = this.#decoder.next()) {
        if (this.instance === undefined) this.#shakeHands(message);
        else this.#owner.received(this, this.instance, message);
        if (!this.#open) return;
      }
    } catch (error) {
      if (!(error instanceof TcpcopyError)) throw error;
      void this.closeAfter(refusedMessage(REFUSED_PROTOCOL, error.message), error.message, 'protocol');
    }
  }

  #shakeHands(message: Message): void {
    const step = this.#handshake.handle(message);
    if (step.kind === 'refused') {
      void this.closeAfter(step.bytes, step.error.message, REFUSAL_OF[step.error.code] ?? 'protocol');
      return;
    }
    if (step.kind === 'welcomed') {
      this.index = step.hello.connectionIndex;
      const admitted = this.#owner.admit(this, step.hello);
      if (typeof admitted === 'string') {
        void this.closeAfter(refusedMessage(REFUSED_BUSY, admitted), admitted, 'busy');
        return;
      }
      this.instance = admitted;
      this.#decoder.maxMessage = MAX_MESSAGE;
    }
    this.#socket.write(step.bytes);
  }
}
