/** One reply, or a push message, as plugins see it. It owns its bytes, so it may be kept. */
import type { RedisCommand } from './command.ts';
import { readValue, RedisError, type RedisValue } from './reply-value.ts';

export class RedisReply {
  /** What it answers; `undefined` for push messages: what was published, invalidated, monitored. */
  readonly command: RedisCommand | undefined;
  /** The type of RESP: `+` `-` `:` `_` `,` `#` `(` `$` `!` `=` `*` `~` `>` `%`. */
  readonly type: string;
  /** Bytes on the wire. */
  readonly length: number;
  /** Those that were kept: all of them unless it is longer than `replyLimit`. */
  readonly bytes: Buffer;
  #value: RedisValue | undefined;

  constructor(type: number, bytes: Buffer, length: number, command: RedisCommand | undefined) {
    this.type = String.fromCharCode(type);
    this.bytes = bytes;
    this.length = length;
    this.command = command;
  }

  /** All of its bytes are here. */
  get whole(): boolean {
    return this.bytes.length === this.length;
  }

  /** `undefined`: it was too long to be kept. */
  get value(): RedisValue | undefined {
    if (this.#value === undefined && this.whole) this.#value = readValue(this.bytes);
    return this.#value;
  }

  get error(): RedisError | undefined {
    if (this.type !== '-' && this.type !== '!') return undefined;
    return this.value instanceof RedisError ? this.value : undefined;
  }
}
