/** One client's connection, as a capture of it would come in, and what is sent on of it. */
import type { Endpoint } from '../core/ip-address.ts';
import type { MemoryFrame } from '../capture/memory-source.ts';
import type { ConnectionPlan } from '../pipeline/contexts.ts';
import { bytesOf, textOf, type Bytes } from './bytes.ts';
import type { ConnectionFrames } from './connection-frames.ts';
import type { SentBytes, TestTarget } from './test-target.ts';
import type { SeenMessage } from './watched-pipeline.ts';

const NOTHING = Buffer.alloc(0);

/** What a connection asks of its run. */
export interface ConnectionHost {
  /** Lets these frames be captured, and all that follows from it at once happen. */
  capture(frames: readonly MemoryFrame[]): void;
  /** Lets so much time of the capture pass that what is missing by now is held for lost. */
  giveUpWaiting(): void;
  readonly target: TestTarget;
  turn(): void;
}

export class TestConnection {
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** What plugins said of the connection; `undefined`: nobody asked. */
  plan: ConnectionPlan | undefined;
  /** The client's messages so far, and what plugins made of each. */
  readonly messages: SeenMessage[] = [];
  readonly #host: ConnectionHost;
  readonly #frames: ConnectionFrames;
  #lost = false;
  /** The client has sent something; the test says what the server answers. */
  #spoken = false;
  #answers = false;

  constructor(client: Endpoint, server: Endpoint, host: ConnectionHost, frames: ConnectionFrames) {
    this.client = client;
    this.server = server;
    this.#host = host;
    this.#frames = frames;
  }

  /**
   * The client sends. Returns what is sent on at once as its consequence, one character a byte, of the first copy.
   * `answers`: bytes of the server's that the client had seen before, beside those it `answered`. Left out, the client
   * has seen an answer to what it sent before; 0: it goes on with that.
   */
  send(bytes: Bytes, answers = this.#spoken && !this.#answers ? 1 : 0): string {
    this.#spoken = true;
    const before = this.#copies[0]?.length ?? 0;
    this.#frames.sees(answers);
    this.#host.capture(this.#frames.data(bytesOf(bytes)));
    if (this.#lost) {
      this.#lost = false;
      this.#host.giveUpWaiting();
      this.#host.capture([this.#frames.acknowledgement()]);
    }
    return textOf(this.#copies[0]?.from(before) ?? NOTHING);
  }

  /** The online server answers, and the client sees it; for plugins that compare, and for dialogues that listen. */
  answered(bytes: Bytes): void {
    this.#answers = true;
    this.#host.capture([this.#frames.serverData(bytesOf(bytes)), this.#frames.acknowledgement()]);
  }

  /** The client sends so many bytes that the capture loses. */
  lose(length: number): void {
    this.#frames.lose(length);
    this.#lost = true;
  }

  /** Segments of the client's, in any order and as often as you like; each begins so far behind what was sent before. */
  sendSegments(segments: readonly { readonly at: number; readonly bytes: Uint8Array }[], answers = 1): void {
    this.#frames.sees(answers);
    this.#host.capture(segments.map(({ at, bytes }) => this.#frames.dataAt(at, bytes)));
    this.#frames.lose(Math.max(0, ...segments.map(({ at, bytes }) => at + bytes.length)));
  }

  /** The target responds to what one copy has sent; for plugins that tap responses and exchanges. */
  respond(bytes: Bytes, copy = 0): void {
    this.#host.target.respond(this.client, copy, bytesOf(bytes));
    this.#host.turn();
  }

  /** The target closes the session of one copy, in good order. */
  targetEnds(copy = 0): void {
    this.#host.target.end(this.client, copy);
    this.#host.turn();
  }

  /** The client closes its side. */
  end(): void {
    this.#host.capture([this.#frames.end()]);
  }

  /** The client resets. */
  reset(): void {
    this.#host.capture([this.#frames.reset()]);
  }

  /** All that one copy has sent. */
  sent(copy = 0): Buffer {
    return this.#copies[copy]?.from(0) ?? NOTHING;
  }

  /** How many copies there are of it. */
  get copies(): number {
    return this.#copies.length;
  }

  /** Why messages were not sent. */
  get dropped(): readonly string[] {
    return this.messages.flatMap(({ reason }) => reason ?? []);
  }

  /** How long each message that is not dropped is held back, in milliseconds. */
  get delays(): readonly number[] {
    return this.messages.filter(({ verdict }) => verdict === 'copied').map(({ delay }) => delay);
  }

  get #copies(): readonly SentBytes[] {
    return this.#host.target.sentBy(this.client);
  }
}
