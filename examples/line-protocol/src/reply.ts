/** What the server of `tally` answers: `OK VALUE` or `ERR TEXT`, a line for each command but `quit`. */
import type { ResponseReader, ServerMessage } from 'tcpcopy/plugin';
import { Command } from './command.ts';

export interface Reply {
  /** `undefined`: the server refused. */
  readonly value: number | undefined;
  readonly error: string | undefined;
}

const LONGEST_LINE = 1_024;

export class ReplyReader implements ResponseReader {
  reading = true;
  failure: string | undefined;
  #text = '';

  sent(message: unknown): boolean {
    return !(message instanceof Command && message.verb === 'quit');
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    this.#text += Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
  }

  next(): ServerMessage | undefined {
    if (!this.reading) return undefined;
    const end = this.#text.indexOf('\n');
    if (end < 0) return this.#text.length > LONGEST_LINE ? this.#giveUp() : undefined;
    const message = parseReply(this.#text.slice(0, end));
    this.#text = this.#text.slice(end + 1);
    return message === undefined ? this.#giveUp() : { message, completes: true };
  }

  end(): void {
    // Half a line is no answer.
    this.#text = '';
    this.reading = false;
  }

  #giveUp(): undefined {
    this.#text = '';
    this.reading = false;
    this.failure = 'no reply of tally';
  }
}

function parseReply(line: string): Reply | undefined {
  const value = /^OK (-?\d+)$/.exec(line)?.[1];
  if (value !== undefined) return { value: Number(value), error: undefined };
  const error = /^ERR (.*)$/.exec(line)?.[1];
  return error === undefined ? undefined : { value: undefined, error };
}
