/** A request codec driven step by step; every step tells, in one line a piece, what came out. */
import { HttpRequestCodec, httpSettings, type HttpPiece, type HttpSettings } from '../../../plugins/http/index.ts';
import { contentOf, Pusher, text } from './transcript.ts';

export class Conversation {
  readonly codec: HttpRequestCodec;
  readonly settings: HttpSettings;
  readonly #pusher = new Pusher();

  constructor(settings: Partial<HttpSettings> = {}, fromSyn = true) {
    this.settings = httpSettings(settings);
    this.codec = new HttpRequestCodec(fromSyn, this.settings);
  }

  /** One segment of the client, which had seen `seen` more bytes of the server. */
  push(latin1: string, seen = 0): string[] {
    this.codec.push(this.#pusher.input(text(latin1), seen));
    return this.#drain();
  }

  end(): string[] {
    this.codec.end();
    return this.#drain();
  }

  get skipped(): [bytes: number, messages: number] {
    return [this.codec.skippedBytes, this.codec.skippedMessages];
  }

  #drain(): string[] {
    const told: string[] = [];
    for (let piece = this.codec.next(); piece !== undefined; piece = this.codec.next()) told.push(tell(piece));
    return told;
  }
}

/** `^` begins a message, `$` ends it; then what it is, its bytes, and what is special about it. */
function tell(piece: HttpPiece): string {
  const what = piece.message === undefined ? '' : `[${piece.message.method} ${piece.message.target}] `;
  const bytes = Buffer.from(contentOf(piece)).toString('latin1');
  const special = [
    ...(piece.answers > 0 ? [`answers ${piece.answers}`] : []),
    ...(piece.awaits > 0 ? [`awaits ${piece.awaits}`] : []),
    ...(piece.unparsable === undefined ? [] : [piece.unparsable]),
    ...(piece.refused ? ['refused'] : []),
    ...(piece.sameSession ? ['same session'] : []),
  ];
  const end = piece.last ? '$' : '';
  return `${piece.first ? '^' : ''}${what}${bytes}${end}${special.length > 0 ? ` (${special.join(', ')})` : ''}`;
}
