/**
 * The server's half of Redis: bytes of a session in, replies out, each with the command it answers.
 *
 * Theory of operation. Replies answer commands in order, one each, but for these: commands about subscriptions bring one
 * confirmation for each name (in RESP3 as push messages); CLIENT REPLY has the server say nothing for a while; and what
 * nobody asked for comes in between. That is a push message of RESP3 by its type, in RESP2 an array that begins with
 * `message`, `pmessage` or `smessage` while the connection is subscribed, and behind MONITOR a line that begins with a time.
 */
import { PendingBytes, type ResponseReader, type ServerMessage } from 'tcpcopy/plugin';
import { copyOf } from './bytes.ts';
import { RedisCommand } from './command.ts';
import { Subscriptions } from './pub-sub.ts';
import { RedisReply } from './reply.ts';
import { FAILED, MORE, ReplyScanner } from './reply-scanner.ts';
import type { RedisSettings } from './settings.ts';

/** A command, and how many of its replies are still to come. */
interface Expected {
  readonly command: RedisCommand | undefined;
  replies: number;
  /** Confirmations, which are push messages in RESP3. */
  readonly subscribes: boolean;
  /** What the connection is afterwards. */
  readonly closes: boolean;
  readonly monitors: boolean;
}

const CONFIRMATION = /^[*>]\d+\r\n\$\d+\r\n[ps]?(?:un)?subscribe\r\n/i;
const PUBLISHED = /^\*\d+\r\n\$\d+\r\n[ps]?message\r\n/;
const MONITORED = /^\+\d+\.\d+ \[/;
/** As much of a reply as these look at. */
const BEGINNING = 48;
const PUSH = '>'.charCodeAt(0);
const ARRAY = '*'.charCodeAt(0);
const STATUS = '+'.charCodeAt(0);
const ERROR = '-'.charCodeAt(0);

export class RedisReplyReader implements ResponseReader {
  reading = true;
  failure: string | undefined;
  closes = false;
  readonly #settings: RedisSettings;
  readonly #scanner = new ReplyScanner();
  readonly #kept: PendingBytes;
  /** Bytes of the reply under way, and whether all of them are kept. */
  #length = 0;
  #whole = true;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  readonly #expected: Expected[] = [];
  /** The first of `#expected` that waits: a queue without shifting. */
  #first = 0;
  readonly #subscriptions = new Subscriptions();
  #monitoring = false;
  /** CLIENT REPLY: `on`, `off`, or silent for the next command. */
  #replies: 'on' | 'off' | 'skip' = 'on';
  /** Between MULTI and EXEC commands are queued: each is answered once, and does nothing yet. */
  #queueing = false;
  readonly #said: { message: RedisReply | undefined; completes: boolean } = { message: undefined, completes: false };

  constructor(settings: RedisSettings) {
    this.#settings = settings;
    this.#kept = new PendingBytes(settings.budget);
  }

  sent(message: unknown): boolean {
    const command = message instanceof RedisCommand ? message : undefined;
    const replies = command === undefined ? 1 : this.#follow(command);
    if (replies === 0) return false;
    const name = command?.aboutConnection === true ? command.name : '';
    this.#expected.push({
      command,
      replies,
      subscribes: name.endsWith('SUBSCRIBE'),
      closes: name === 'QUIT',
      monitors: name === 'MONITOR',
    });
    return true;
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    this.#bytes = bytes;
    this.#at = offset;
    this.#end = offset + length;
  }

  gap(length: number): void {
    if (length >= this.#scanner.remaining) return this.#stop('gap');
    this.#scanner.skip(length);
    this.#length += length;
    this.#whole = false;
    this.#kept.release();
  }

  end(): void {
    this.#stop(undefined);
  }

  next(): ServerMessage | undefined {
    if (!this.reading || this.#at === this.#end) return undefined;
    const start = this.#at;
    const result = this.#scanner.feed(this.#bytes, start, this.#end);
    if (result === FAILED) {
      this.#settings.stats.unreadable.count(this.#scanner.failure);
      this.#stop(this.#scanner.failure);
      return undefined;
    }
    this.#at = this.#scanner.position;
    this.#length += this.#at - start;
    if (result === MORE) {
      this.#keep(start);
      return undefined;
    }
    return this.#complete(start);
  }

  /** What a command means for the replies to it and to those behind it; returns how many it has. */
  #follow(command: RedisCommand): number {
    const replies = this.#replies;
    if (replies === 'skip') this.#replies = 'on';
    if (!command.aboutConnection) return replies === 'on' ? 1 : 0;
    const { name } = command;
    if (name === 'CLIENT REPLY' && !this.#queueing) {
      const how = command.text(2)?.toUpperCase();
      if (how === 'OFF' || (how === 'SKIP' && replies !== 'off')) {
        this.#replies = how === 'OFF' ? 'off' : 'skip';
        return 0;
      }
      if (how === 'ON') {
        this.#replies = 'on';
        return replies === 'skip' ? 0 : 1;
      }
    }
    if (name === 'MULTI') this.#queueing = true;
    else if (name === 'EXEC' || name === 'DISCARD' || name === 'RESET') this.#queueing = false;
    if (name === 'RESET') {
      this.#reset();
      return 1;
    }
    const count = this.#queueing ? 1 : (this.#subscriptions.follow(command) ?? 1);
    // A browser's, at which redis-server closes without a word.
    if (name === 'POST' || name === 'HOST:') return 0;
    return replies === 'on' ? count : 0;
  }

  /** RESET also has the server speak again. */
  #reset(): void {
    this.#replies = 'on';
    this.#subscriptions.clear();
    this.#monitoring = false;
  }

  #complete(start: number): ServerMessage {
    const { type } = this.#scanner;
    const bytes = this.#take(start);
    const waiting = this.#expected[this.#first];
    const answers = waiting !== undefined && !this.#isUnasked(type, bytes, waiting);
    const said = this.#said;
    said.message = new RedisReply(type, bytes, this.#length, answers ? waiting.command : undefined);
    said.completes = answers && this.#answer(waiting, type);
    this.#length = 0;
    this.#whole = true;
    if (answers) this.#settings.stats.replies++;
    else this.#settings.stats.pushes++;
    return said;
  }

  /** Whether nobody asked for it. */
  #isUnasked(type: number, bytes: Buffer, waiting: Expected): boolean {
    if (type === PUSH) return !(waiting.subscribes && CONFIRMATION.test(beginning(bytes)));
    if (type === ARRAY && (this.#subscriptions.any || waiting.subscribes)) return PUBLISHED.test(beginning(bytes));
    return type === STATUS && this.#monitoring && MONITORED.test(beginning(bytes));
  }

  /** One more reply to the command that waits longest; returns whether it was the last. */
  #answer(waiting: Expected, type: number): boolean {
    // An error takes the place of all confirmations.
    waiting.replies = type === ERROR ? 0 : waiting.replies - 1;
    if (waiting.replies > 0) return false;
    this.#first++;
    if (this.#first * 2 > this.#expected.length) {
      this.#expected.splice(0, this.#first);
      this.#first = 0;
    }
    if (waiting.monitors && type !== ERROR) this.#monitoring = true;
    if (waiting.closes) {
      this.closes = true;
      this.#stop(undefined);
    }
    return true;
  }

  /** Keeps the bytes of the push from `start` on, which belong to a reply that is not whole, as far as there is room. */
  #keep(start: number): void {
    const length = this.#at - start;
    const fits = this.#kept.length + length <= this.#settings.replyLimit;
    if (this.#whole && fits && this.#kept.append(this.#bytes, start, length)) return;
    if (this.#whole && this.#kept.length === 0) {
      this.#kept.append(this.#bytes, start, Math.min(length, BEGINNING));
    }
    this.#whole = false;
  }

  /** What is kept of a reply whose last bytes begin at `start` in the push. */
  #take(start: number): Buffer {
    if (this.#kept.length === 0 && this.#whole) return copyOf(this.#bytes, start, this.#at);
    if (this.#whole) this.#keep(start);
    const bytes = copyOf(this.#kept.bytes, 0, this.#kept.length);
    this.#kept.release();
    return bytes;
  }

  #stop(failure: string | undefined): void {
    this.reading = false;
    this.failure = failure;
    this.#kept.release();
  }
}

function beginning(bytes: Buffer): string {
  return bytes.toString('latin1', 0, BEGINNING);
}
