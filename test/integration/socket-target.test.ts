import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseIp, type Endpoint } from '../../src/core/ip-address.ts';
import { SocketTarget } from '../../src/replay/socket-target.ts';
import type { SessionEnd, SessionOwner, TargetSession } from '../../src/replay/target.ts';

const CLIENT: Endpoint = { address: parseIp('192.0.2.1')!, port: 40_000 };
const servers: Server[] = [];
const targets: SocketTarget[] = [];

afterEach(async () => {
  for (const target of targets.splice(0)) await target.close();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

/** A server on a free port of `host`, and its end of each connection. */
async function listen(serve: (socket: Socket) => void, host = '127.0.0.1'): Promise<Endpoint> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return { address: parseIp(host)!, port: (server.address() as AddressInfo).port };
}

/** Sends `content` as room allows, closes when told to, and keeps what it hears. */
class Owner implements SessionOwner {
  session!: TargetSession;
  received = 0;
  peerClosed = 0;
  readonly ends: SessionEnd[] = [];
  readonly progress: number[] = [];
  readonly #content: Uint8Array;
  #sent = 0;

  constructor(content: Uint8Array) {
    this.#content = content;
  }

  get sent(): number {
    return this.#sent;
  }

  pump(): void {
    for (let taken = 1; taken > 0 && this.#sent < this.#content.length; this.#sent += taken) {
      taken = this.session.send(this.#content, this.#sent, this.#content.length - this.#sent);
    }
  }

  sessionProgressed(): void {
    this.progress.push(this.session.acknowledged);
    this.pump();
  }

  sessionReceived(_bytes: Uint8Array | undefined, _offset: number, length: number): void {
    this.received += length;
  }

  sessionPeerClosed(): void {
    this.peerClosed++;
    this.session.close();
  }

  sessionEnded(end: SessionEnd): void {
    this.ends.push(end);
  }
}

let wakes = 0;

function connect(to: Endpoint, content: string | Uint8Array, limit = 10): { target: SocketTarget; owner: Owner } {
  const target = new SocketTarget(limit, () => wakes++);
  targets.push(target);
  const owner = new Owner(typeof content === 'string' ? Buffer.from(content) : content);
  owner.session = target.open(owner, CLIENT, to) as TargetSession;
  owner.pump();
  return { target, owner };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; !condition(); i++) {
    expect(i, condition.toString()).toBeLessThan(6_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a socket session', () => {
  it.each(['127.0.0.1', '::1'])('sends, hears the answer and closes (%s)', async (host) => {
    let heard = '';
    const to = await listen((socket) => {
      socket.on('data', (data) => {
        heard += data.toString();
        socket.write('pong');
      });
      socket.on('end', () => socket.end());
    }, host);
    const before = wakes;
    const { target, owner } = connect(to, 'ping');
    expect(target.openSessions).toBe(1);
    await until(() => owner.received === 4);
    expect(heard).toBe('ping');
    expect(owner.session.acknowledged).toBe(4);
    expect(wakes).toBeGreaterThan(before);
    owner.session.close();
    await until(() => owner.ends.length > 0);
    expect([owner.ends, owner.peerClosed, target.openSessions]).toEqual([['closed'], 1, 0]);
  });

  it('copies what it is given', async () => {
    let heard = '';
    const to = await listen((socket) => socket.on('data', (data) => (heard += data.toString())));
    const bytes = Buffer.from('original');
    const { owner } = connect(to, bytes);
    expect(owner.sent).toBe(8);
    bytes.fill(0x21);
    await until(() => heard.length === 8);
    expect(heard).toBe('original');
  });

  it('delivers 8 MB through a buffer of a few hundred KB, to a server that reads late', async () => {
    const content = new Uint8Array(8 << 20).map((_, i) => (i * 31) >>> 3);
    const chunks: Buffer[] = [];
    let length = 0;
    const to = await listen((socket) => {
      socket.pause();
      setTimeout(() => socket.resume(), 100);
      socket.on('data', (data) => {
        chunks.push(data);
        length += data.length;
      });
    });
    const { target, owner } = connect(to, content);
    expect(owner.sent).toBe(256 << 10);
    expect(target.bufferedBytes).toBe(256 << 10);
    await until(() => length === content.length);
    expect(Buffer.concat(chunks).equals(content)).toBe(true);
    await until(() => owner.session.acknowledged === content.length);
    expect([...owner.progress].sort((a, b) => a - b)).toEqual(owner.progress);
    expect(target.bufferedBytes).toBe(0);
  });

  it('is refused where nobody listens', async () => {
    const to = await listen(() => undefined);
    await new Promise((resolve) => servers.pop()!.close(resolve));
    const { target, owner } = connect(to, 'ping');
    await until(() => owner.ends.length > 0);
    expect([owner.ends, owner.session.acknowledged, target.openSessions]).toEqual([['refused'], 0, 0]);
  });

  it('is reset', async () => {
    const to = await listen((socket) => socket.on('data', () => socket.resetAndDestroy()));
    const { target, owner } = connect(to, 'ping');
    await until(() => owner.ends.length > 0);
    expect([owner.ends, target.openSessions]).toEqual([['reset'], 0]);
  });

  it('counts only what the kernel took when it is reset with the rest still waiting', async () => {
    const to = await listen((socket) => {
      socket.pause();
      setTimeout(() => socket.resetAndDestroy(), 100);
    });
    const { owner } = connect(to, new Uint8Array(64 << 20));
    await until(() => owner.ends.length > 0);
    expect(owner.ends).toEqual(['reset']);
    expect(owner.session.acknowledged).toBeLessThan(owner.sent);
  });

  it('hears that the target has closed, and may still be sending', async () => {
    let heard = '';
    const to = await listen((socket) => {
      socket.end('bye');
      socket.on('data', (data) => (heard += data.toString()));
    });
    const { owner } = connect(to, '');
    owner.sessionPeerClosed = () => {
      owner.peerClosed++;
      owner.session.send(Buffer.from('one more'), 0, 8);
      owner.session.close();
    };
    await until(() => owner.ends.length > 0 && heard !== '');
    expect(heard).toBe('one more');
    expect([owner.received, owner.peerClosed, owner.ends]).toEqual([3, 1, ['closed']]);
  });

  it('closes only after what was sent before it was even connected', async () => {
    let heard = '';
    const to = await listen((socket) => {
      socket.on('data', (data) => (heard += data.toString()));
      socket.on('end', () => socket.end());
    });
    const { owner } = connect(to, 'ping');
    owner.session.close();
    expect(owner.session.send(Buffer.from('late'), 0, 4)).toBe(0);
    await until(() => owner.ends.length > 0);
    expect([heard, owner.ends]).toEqual(['ping', ['closed']]);
  });

  it('can be aborted: the target sees a reset, the owner hears nothing more', async () => {
    const seen: string[] = [];
    const to = await listen((socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code!));
      socket.on('data', () => socket.write('answer'));
    });
    const { target, owner } = connect(to, 'ping');
    await until(() => owner.received > 0);
    owner.session.abort();
    expect(target.openSessions).toBe(0);
    await until(() => seen.length > 0);
    expect(seen).toEqual(['ECONNRESET']);
    expect(owner.ends).toEqual([]);
    owner.session.close();
    expect(owner.session.send(Buffer.from('x'), 0, 1)).toBe(0);
  });

  it('can be aborted before it is connected', async () => {
    const to = await listen(() => undefined);
    const { target, owner } = connect(to, 'ping');
    owner.session.abort();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([owner.ends, target.openSessions]).toEqual([[], 0]);
  });
});

describe('a socket target', () => {
  it('opens no more sessions than it may, until one ends', async () => {
    const to = await listen((socket) => socket.on('end', () => socket.end()));
    const { target, owner } = connect(to, '', 1);
    expect(target.open(owner, CLIENT, to)).toBe('session-cap');
    owner.session.close();
    await until(() => target.openSessions === 0);
    expect(target.open(owner, CLIENT, to)).not.toBe('session-cap');
  });

  it('aborts all sessions when it is closed', async () => {
    let open = 0;
    const to = await listen((socket) => {
      open++;
      socket.on('close', () => open--);
    });
    const { target } = connect(to, 'a');
    const second = new Owner(new Uint8Array(0));
    second.session = target.open(second, CLIENT, to) as TargetSession;
    await until(() => open === 2);
    await target.close();
    expect(target.openSessions).toBe(0);
    await until(() => open === 0);
  });
});
