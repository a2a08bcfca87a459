/** A target that takes everything at once, and remembers it by client and copy. */
import { formatEndpoint, type Endpoint } from '../core/ip-address.ts';
import type { SessionOwner, Target, TargetSession } from '../replay/target.ts';

/** Bytes that one copy of a connection has sent, over all its sessions. */
export class SentBytes {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  /** From an offset on. */
  from(offset: number): Buffer {
    return Buffer.concat(this.#chunks).subarray(offset);
  }
}

export class TestTarget implements Target {
  readonly bufferedBytes = 0;
  readonly shutOut = 0;
  readonly packets = 0;
  readonly unsent = 0;
  readonly ready = true;
  heard = 0;
  readonly #sent = new Map<string, SentBytes[]>();
  readonly #sessions = new Set<TestSession>();
  /** Sessions that have something to tell their owners. */
  readonly #news = new Set<TestSession>();

  get openSessions(): number {
    return this.#sessions.size;
  }

  /** What the copies of a client's connection have sent. */
  sentBy(client: Endpoint): readonly SentBytes[] {
    return this.#sent.get(formatEndpoint(client)) ?? [];
  }

  /** Bytes of the target, in the session that a copy has open. */
  respond(client: Endpoint, copy: number, bytes: Uint8Array): void {
    const session = this.#sessionOf(client, copy);
    session.settle();
    this.heard++;
    // Lent, as those of a socket are; copied, also of a Buffer, whose `slice` would be a view.
    const lent = new Uint8Array(bytes);
    session.owner.sessionReceived(lent, 0, lent.length, true);
    lent.fill(0xdd);
  }

  /** The target closes that session. */
  end(client: Endpoint, copy: number): void {
    const session = this.#sessionOf(client, copy);
    session.settle();
    session.owner.sessionPeerClosed();
  }

  open(owner: SessionOwner, client: Endpoint, _target: Endpoint, replica: number): TargetSession {
    const key = formatEndpoint(client);
    const copies = this.#sent.get(key) ?? [];
    this.#sent.set(key, copies);
    while (copies.length <= replica) copies.push(new SentBytes());
    const session = new TestSession(owner, copies[replica]!, this.#news, (ended) => this.#sessions.delete(ended));
    this.#sessions.add(session);
    return session;
  }

  /** What was sent has arrived; what was closed has ended. */
  flush(): void {
    // What owners do about it may be news again: the set is walked until none is left.
    for (const session of this.#news) {
      this.#news.delete(session);
      session.settle();
    }
  }

  abortAll(): void {
    for (const session of [...this.#sessions]) session.abort();
  }

  async close(): Promise<void> {
    this.abortAll();
  }

  #sessionOf(client: Endpoint, copy: number): TestSession {
    const sent = this.sentBy(client)[copy];
    for (const session of this.#sessions) if (session.sent === sent) return session;
    throw new TypeError(`copy ${copy} of ${formatEndpoint(client)} has no session open`);
  }
}

class TestSession implements TargetSession {
  acknowledged = 0;
  readonly owner: SessionOwner;
  readonly sent: SentBytes;
  readonly #news: Set<TestSession>;
  readonly #over: (session: TestSession) => void;
  #taken = 0;
  #closing = false;
  #ended = false;

  constructor(owner: SessionOwner, sent: SentBytes, news: Set<TestSession>, over: (session: TestSession) => void) {
    this.owner = owner;
    this.sent = sent;
    this.#news = news;
    this.#over = over;
  }

  send(bytes: Uint8Array, offset: number, length: number): number {
    this.sent.add(bytes.slice(offset, offset + length));
    this.#taken += length;
    this.#news.add(this);
    return length;
  }

  close(): void {
    this.#closing = true;
    this.#news.add(this);
  }

  abort(): void {
    this.#end();
  }

  /** Tells the owner what there is to tell. */
  settle(): void {
    if (this.acknowledged < this.#taken) {
      this.acknowledged = this.#taken;
      this.owner.sessionProgressed();
    }
    if (!this.#closing || this.#ended) return;
    this.#end();
    this.owner.sessionEnded('closed');
  }

  #end(): void {
    this.#ended = true;
    this.#news.delete(this);
    this.#over(this);
  }
}
