/**
 * Responses of a made-up protocol of lines, for tests: a line that begins with `+` ends the response to a request, one with
 * `-` is part of it. `quit` gets no response; `bye` ends the connection; `?` is not of the protocol; `!` makes the reader
 * throw.
 */
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import type { ResponseReader, ServerMessage } from '../../../src/protocol/response-reader.ts';
import { ResponseReading } from '../../../src/replay/response-reading.ts';

export class LineReader implements ResponseReader {
  reading = true;
  failure: string | undefined;
  closes = false;
  #text = '';
  #ended = false;

  sent(message: unknown): boolean {
    return message !== 'quit';
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    this.#text += Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
  }

  end(): void {
    this.#ended = true;
  }

  next(): ServerMessage | undefined {
    const end = this.#text.indexOf('\n');
    if (end < 0) return this.#last();
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    if (line === '!') throw new Error('a bad line');
    if (line === '+bye') {
      this.reading = false;
      this.closes = true;
    } else if (line.startsWith('?')) {
      this.reading = false;
      this.failure = 'no line';
      return undefined;
    }
    return { message: line, completes: line.startsWith('+') };
  }

  /** What the end of the connection completes. */
  #last(): ServerMessage | undefined {
    if (!this.#ended) return undefined;
    this.reading = false;
    const message = this.#text;
    this.#text = '';
    return message === '' ? undefined : { message, completes: message.startsWith('+') };
  }
}

/** A run in which somebody asks for responses and exchanges of `lines`. */
export function lineReading(pipeline = new Pipeline()): ResponseReading {
  const row = { payload: 'string', moment: 'Now.', nothing: 'Nothing.' };
  pipeline.hooks.provide(
    'lines' as never,
    { hooks: { reply: { ...row, role: 'response' } }, responses: () => new LineReader() } as never,
  );
  pipeline.hooks.response.tap('asks', () => undefined);
  pipeline.hooks.exchange.tap('asks', () => undefined);
  return ResponseReading.of(pipeline)!;
}
