/**
 * Sessions over the kernel's own TCP: no root, no routes, no intercept. For clouds that drop spoofed packets, for
 * recordings, laptops and containers. The target sees this host's address, not the client's.
 */
import { connect, type Socket } from 'node:net';
import { formatIp, type Endpoint } from '../core/ip-address.ts';
import { Roster, type Rostered } from '../core/roster.ts';
import type { OpenFailure, SessionEnd, SessionOwner, Target, TargetSession } from './target.ts';

/** Bytes one socket may hold unsent before `send` takes no more. */
const SEND_LIMIT = 256 << 10;
/** Once we are done, a socket on which nothing moves for this long is given up, ms. */
const LINGER_MS = 30_000;

class SocketSession implements TargetSession, Rostered {
  rosterIndex = -1;
  readonly #owner: SessionOwner;
  readonly #socket: Socket;
  readonly #gone: (session: SocketSession) => void;
  readonly #wake: () => void;
  /** Bytes that the kernel has taken over: what the ledger counts as delivered on a socket. */
  acknowledged = 0;
  #connected = false;
  #end: SessionEnd = 'closed';
  #over = false;

  /** `heard`: like `wake`, when the target has said something. */
  constructor(
    owner: SessionOwner,
    target: Endpoint,
    gone: (session: SocketSession) => void,
    wake: () => void,
    heard: () => void,
  ) {
    this.#owner = owner;
    this.#gone = gone;
    this.#wake = wake;
    const socket = connect({
      host: formatIp(target.address),
      port: target.port,
      noDelay: true,
      allowHalfOpen: true,
    });
    this.#socket = socket;
    socket.on('connect', () => {
      this.#connected = true;
      this.#progressed();
    });
    socket.on('data', (data) => {
      this.#owner.sessionReceived(data, 0, data.length, true);
      heard();
    });
    socket.on('end', () => {
      this.#owner.sessionPeerClosed();
      this.#wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#end = endFor(error.code, this.#connected);
    });
    socket.on('close', () => {
      if (this.#over) return;
      this.#over = true;
      this.#gone(this);
      this.#owner.sessionEnded(this.#end);
      this.#wake();
    });
  }

  get buffered(): number {
    return this.#socket.writableLength;
  }

  send(bytes: Uint8Array, offset: number, length: number): number {
    const taken = Math.min(length, SEND_LIMIT - this.#socket.writableLength);
    if (taken <= 0 || this.#over || this.#socket.writableEnded) return 0;
    this.#socket.write(Buffer.from(bytes.subarray(offset, offset + taken)), (error) => {
      if (error !== undefined && error !== null) return;
      this.acknowledged += taken;
      if (!this.#over) this.#progressed();
    });
    return taken;
  }

  #progressed(): void {
    this.#owner.sessionProgressed();
    this.#wake();
  }

  close(): void {
    if (this.#over || this.#socket.writableEnded) return;
    this.#socket.end();
    this.#socket.setTimeout(LINGER_MS, () => this.#socket.destroy());
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#gone(this);
    if (this.#connected) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }
}

export class SocketTarget implements Target {
  readonly ready = true;
  /** The kernel does not tell. */
  readonly shutOut = 0;
  readonly packets = 0;
  readonly unsent = 0;
  readonly #limit: number;
  readonly #wake: () => void;
  readonly #heard = (): void => {
    this.heard++;
    this.#wake();
  };
  heard = 0;
  readonly #sessions = new Roster<SocketSession>();
  readonly #gone = (session: SocketSession): void => this.#sessions.delete(session);

  /** `limit`: sessions open at once. `wake`: called when a session has made room for more work. */
  constructor(limit: number, wake: () => void) {
    this.#limit = limit;
    this.#wake = wake;
  }

  get openSessions(): number {
    return this.#sessions.size;
  }

  get bufferedBytes(): number {
    let bytes = 0;
    for (const session of this.#sessions.members) bytes += session.buffered;
    return bytes;
  }

  open(owner: SessionOwner, _client: Endpoint, target: Endpoint): TargetSession | OpenFailure {
    if (this.#sessions.size >= this.#limit) return 'session-cap';
    const session = new SocketSession(owner, target, this.#gone, this.#wake, this.#heard);
    this.#sessions.add(session);
    return session;
  }

  flush(): void {
    // The kernel sends what it was given.
  }

  abortAll(): void {
    for (const session of [...this.#sessions.members]) session.abort();
  }

  close(): Promise<void> {
    this.abortAll();
    return Promise.resolve();
  }
}

function endFor(code: string | undefined, connected: boolean): SessionEnd {
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'timed-out';
    case 'EMFILE':
    case 'EADDRNOTAVAIL':
    case 'EACCES':
    case 'EPERM':
      return 'send-failed';
    default:
      return connected ? 'reset' : 'refused';
  }
}
