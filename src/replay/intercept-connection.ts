/**
 * One of the control connections to an intercept. It connects, shakes hands, sends heartbeats, and when it is lost tries
 * again for ever:
 *
 *     idle ─start─▶ connecting ─TCP─▶ greeting ─WELCOME─▶ welcomed
 *                       ▲    lost in any state   │
 *                       └────── waiting ◀────────┘        close: from any state to closed
 *
 * The first wait is 0.2 s, each further one twice as long, up to 2 s. A connection over which nothing arrives for the
 * heartbeat timeout is lost; but time does not pass while this process stands still, nor while we choose not to read.
 *
 * Responses stay in the decoder until they are asked for; when too much is waiting the socket is not read, so that the
 * intercept notices and drops (and counts) what cannot be taken.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { errnoOf } from '../capture/capture-error.ts';
import type { ControlTrust } from '../config/copy-options.ts';
import { ClientHandshake } from '../control/client-handshake.ts';
import { Decoder } from '../control/decoder.ts';
import { encode } from '../control/encoder.ts';
import type { ControlMessage, Welcome } from '../control/messages.ts';
import { BYE, MAX_MESSAGE, NONCE_BYTES, PING, PONG, REFUSED, RESPONSES } from '../control/protocol.ts';
import type { ResponseReader } from '../control/response-reader.ts';
import { RunningClock } from '../control/running-clock.ts';
import { TcpcopyError } from '../core/errors.ts';
import { elapsed, millis, toMillis, toSeconds, type Duration, type Instant } from '../core/time.ts';
import type { Segment } from '../wire/segment.ts';
import { connectFailure, DirectReader, openControlSocket, tlsFailure } from './control-socket.ts';

const READ_BYTES = 256 << 10;
/** Room that is made for what is read without the event loop. */
const READ_LEAST = 16 << 10;
/** Bytes of unread responses at which the socket is left alone. */
const INPUT_CAP = 4 << 20;
const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 2_000;
const CLOSE_MS = 300;

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** Control connections, 1–16. */
  readonly connections: number;
  /** Pre-shared key. */
  readonly key: string | undefined;
  /** `undefined`: plain TCP. */
  readonly tls: ControlTrust | undefined;
  /**
   * Eight random bytes. The same for links to different intercepts, which then tend to grant the same blocks; never the
   * same for two links to one intercept.
   */
  readonly instanceId: Uint8Array;
  /** Version of this program, for the intercept's log. */
  readonly software: string;
  /** The loop's monotonic clock; gives `segment.time`. */
  readonly now: () => Instant;
  readonly heartbeatInterval: Duration;
  /** Also the limit for connecting, and for the handshake. */
  readonly heartbeatTimeout: Duration;
}

export interface ConnectionOwner {
  welcomed(connection: InterceptConnection, welcome: Welcome): void;
  /** Everything but RESPONSES, PONG and the handshake. */
  received(connection: InterceptConnection, message: ControlMessage): void;
  responsesReady(): void;
  /** It will try again unless it is closed. */
  lost(connection: InterceptConnection, error: TcpcopyError): void;
}

type State = 'idle' | 'connecting' | 'greeting' | 'welcomed' | 'waiting' | 'closed';

export class InterceptConnection {
  readonly index: number;
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner;
  readonly #clock: RunningClock;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #state: State = 'idle';
  #socket: Socket | undefined;
  #direct: DirectReader | undefined;
  #decoder = new Decoder();
  #handshake: ClientHandshake | undefined;
  /** Reads the responses that are waiting. */
  #reader: ResponseReader | undefined;
  #paused = false;
  /** Responses come over this one. */
  #carries = false;
  #heard: Instant;
  #arrived: Instant;
  #token = 0;
  #backoff = FIRST_BACKOFF_MS;
  #timer: NodeJS.Timeout | undefined;

  constructor(index: number, options: ConnectionOptions, owner: ConnectionOwner) {
    this.index = index;
    this.#options = options;
    this.#owner = owner;
    this.#arrived = options.now();
    this.#clock = new RunningClock(this.#arrived, (options.heartbeatInterval * 2) as Duration);
    this.#heard = this.#clock.time;
  }

  get isWelcomed(): boolean {
    return this.#state === 'welcomed';
  }

  /** Does nothing when it was started before. */
  start(): void {
    if (this.#state === 'idle') this.#connect();
  }

  send(message: ControlMessage): void {
    if (this.#state === 'welcomed') this.#socket?.write(encode(message));
  }

  /** Reads the next response in place; it is valid until the next call or the end of this turn of the event loop. */
  nextResponse(segment: Segment): boolean {
    while (this.#reader !== undefined) {
      try {
        if (this.#reader.next(segment, this.#arrived)) return true;
        this.#reader = undefined;
        this.#pump();
      } catch (error) {
        this.#violated(error);
      }
    }
    this.#resume();
    return false;
  }

  /**
   * Takes what has arrived without the event loop; false where only that can tell. `entered`: it had its turn since this was
   * last called.
   */
  look(entered: boolean): boolean {
    if (entered) this.#direct?.findAnew();
    if (!this.#carries || this.#state !== 'welcomed' || this.#paused || this.#decoder.buffered > INPUT_CAP) return true;
    if (this.#options.tls !== undefined) return false;
    const decoder = this.#decoder;
    for (;;) {
      const room = decoder.room(READ_LEAST);
      const length = this.#direct!.read(room, decoder.end);
      if (length === undefined) return false;
      if (length === 0) return true;
      decoder.arrived(length);
      this.#arrivedBytes();
      if (decoder.end < room.length || decoder.buffered > INPUT_CAP) return true;
    }
  }

  /** Takes leave; resolves when the socket is closed. */
  close(): Promise<void> {
    const socket = this.#socket;
    const greeted = this.#state === 'welcomed';
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#reader = undefined;
    if (socket === undefined || socket.destroyed) return Promise.resolve();
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    if (greeted) {
      socket.resume();
      socket.end(encode({ type: BYE, text: '' }));
      setTimeout(() => socket.destroy(), CLOSE_MS).unref();
    } else {
      socket.destroy();
    }
    return closed;
  }

  #connect(): void {
    const { host, port, tls, heartbeatTimeout, key, instanceId, connections, software } = this.#options;
    this.#state = 'connecting';
    this.#decoder = new Decoder();
    this.#reader = undefined;
    this.#paused = false;
    this.#carries = false;
    const handshake = new ClientHandshake(
      { key, instanceId, connections, software, connectionIndex: this.index, nonce: randomBytes(NONCE_BYTES) },
      (secret, data) => createHmac('sha256', secret).update(data).digest(),
    );
    this.#handshake = handshake;
    const onread = {
      buffer: this.#readBuffer,
      callback: (length: number) => this.#socket !== socket || this.#read(length),
    };
    const socket = openControlSocket({ host, port, tls, onread }, () => {
      this.#state = 'greeting';
      socket.write(handshake.hello());
    });
    this.#socket = socket;
    this.#direct = new DirectReader(socket);
    socket.on('error', (error) => {
      this.#lose(socket, tlsFailure(error, host) ?? this.#unreachable(connectFailure(error), error));
    });
    socket.on('close', () => this.#lose(socket, this.#unreachable('it closed the connection')));
    this.#timer = setTimeout(
      () => this.#lose(socket, this.#unreachable(`no answer within ${toSeconds(heartbeatTimeout)} s`)),
      toMillis(heartbeatTimeout),
    );
  }

  /** Takes what has arrived in the read buffer; false stops the reading. */
  #read(length: number): boolean {
    if (this.#state === 'closed') return true;
    this.#take(length);
    this.#paused = this.#reader !== undefined && this.#decoder.buffered > INPUT_CAP;
    return !this.#paused;
  }

  #take(length: number): void {
    this.#decoder.push(this.#readBuffer.subarray(0, length));
    this.#arrivedBytes();
  }

  #arrivedBytes(): void {
    this.#heard = this.#clock.time;
    try {
      if (this.#reader === undefined) {
        this.#arrived = this.#options.now();
        this.#pump();
      }
    } catch (error) {
      this.#violated(error);
    }
    if (this.#reader !== undefined) this.#owner.responsesReady();
  }

  /** Handles messages up to the next responses. */
  #pump(): void {
    while (this.#state === 'greeting' || this.#state === 'welcomed' || this.#state === 'waiting') {
      const message = this.#decoder.next();
      if (message === undefined) return;
      if (this.#state === 'greeting') {
        const step = this.#handshake!.handle(message);
        if (step.kind === 'send') this.#socket!.write(step.bytes);
        else if (step.kind === 'failed') this.#lose(this.#socket!, step.error);
        else this.#welcome(step.welcome);
      } else if (message.type === RESPONSES) {
        this.#carries = true;
        this.#reader = message.reader;
        if (!message.reader.exhausted) return;
        this.#reader = undefined;
      } else if (message.type === BYE) {
        this.#lose(this.#socket!, this.#unreachable(message.text));
      } else if (message.type === REFUSED) {
        this.#lose(this.#socket!, new TcpcopyError('E_CONTROL_PROTOCOL', `the intercept gave up: ${message.text}`));
      } else if (message.type !== PONG) {
        this.#owner.received(this, message);
      }
    }
  }

  #welcome(welcome: Welcome): void {
    this.#state = 'welcomed';
    this.#decoder.maxMessage = MAX_MESSAGE;
    this.#backoff = FIRST_BACKOFF_MS;
    this.#heard = this.#clock.tick(this.#options.now());
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#beat(), toMillis(this.#options.heartbeatInterval));
    this.#owner.welcomed(this, welcome);
  }

  #beat(): void {
    const now = this.#clock.tick(this.#options.now());
    const { heartbeatTimeout } = this.#options;
    if (this.#paused) this.#heard = now;
    if (elapsed(now, this.#heard) > heartbeatTimeout) {
      this.#lose(this.#socket!, this.#unreachable(`nothing heard for ${toSeconds(heartbeatTimeout)} s`));
      return;
    }
    this.#token = (this.#token + 1) >>> 0;
    this.send({ type: PING, token: this.#token });
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket?.resume();
  }

  #violated(error: unknown): void {
    if (!(error instanceof TcpcopyError)) throw error;
    this.#reader = undefined;
    this.#lose(this.#socket!, error);
  }

  #lose(socket: Socket, error: TcpcopyError): void {
    if (socket !== this.#socket || this.#state === 'closed' || this.#state === 'waiting') return;
    this.#state = 'waiting';
    clearTimeout(this.#timer);
    socket.destroy();
    this.#timer = setTimeout(() => this.#connect(), this.#backoff);
    this.#backoff = Math.min(this.#backoff * 2, LONGEST_BACKOFF_MS);
    this.#owner.lost(this, this.#located(error));
  }

  /** Says which intercept, since there may be several. */
  #located(error: TcpcopyError): TcpcopyError {
    if (error.where !== undefined) return error;
    const { code, message, hint, cause } = error;
    const where = `-s ${this.#options.host}:${this.#options.port}`;
    return new TcpcopyError(code, message, hint === undefined ? { where, cause } : { where, hint, cause });
  }

  #unreachable(what: string, cause?: unknown): TcpcopyError {
    const { host, port } = this.#options;
    return new TcpcopyError('E_INTERCEPT_UNREACHABLE', what, {
      where: `-s ${host}:${port}`,
      hint:
        errnoOf(cause) === 'ENOTFOUND'
          ? 'check the name, or give the address'
          : this.#state === 'greeting'
            ? "check that what runs there is this package's intercept: TCPCopy's in C speaks another protocol"
            : 'check that intercept runs there and that no firewall is between',
      cause,
    });
  }
}

/** One second between heartbeats, five until an intercept counts as dead. */
export const HEARTBEAT_INTERVAL = millis(1_000);
export const HEARTBEAT_TIMEOUT = millis(5_000);
