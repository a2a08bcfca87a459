/** A client of a real Redis server, for tests: commands out, answers in. */
import { createConnection, type Socket } from 'node:net';
import { RedisCommand, type RedisValue } from '../../plugins/redis/index.ts';
import { REPLY, ReplyScanner } from '../../plugins/redis/reply-scanner.ts';
import { readValue } from '../../plugins/redis/reply-value.ts';

export class RedisClient {
  readonly #socket: Socket;
  #left: Buffer = Buffer.alloc(0);
  /** Answers nobody has asked for yet, and those who ask for answers that have not come yet. */
  readonly #answers: RedisValue[] = [];
  readonly #waiting: ((value: RedisValue) => void)[] = [];

  /** A path of a socket, or a port of a host. */
  constructor(path: string | { readonly host: string; readonly port: number }) {
    this.#socket = typeof path === 'string' ? createConnection(path) : createConnection(path);
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#read(Buffer.concat([this.#left, chunk])));
  }

  /** Sends without asking for the answer. */
  send(...args: readonly string[]): void {
    this.#socket.write(RedisCommand.of(...args).serialize());
  }

  /** Sends these bytes. */
  write(text: string): void {
    this.#socket.write(text);
  }

  /** The next answer that comes. */
  next(): Promise<RedisValue> {
    const answer = this.#answers.shift();
    return answer === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(answer);
  }

  ask(...args: readonly string[]): Promise<RedisValue> {
    this.send(...args);
    return this.next();
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    let at = 0;
    for (;;) {
      const scanner = new ReplyScanner();
      if (scanner.feed(bytes, at, bytes.length) !== REPLY) break;
      const value = readValue(bytes.subarray(at, scanner.position));
      at = scanner.position;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#answers.push(value);
      else waiting(value);
    }
    this.#left = bytes.subarray(at);
  }
}
