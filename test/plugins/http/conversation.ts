/** A request codec driven step by step. */
import { HttpRequestCodec, httpSettings, type HttpPiece, type HttpSettings } from '../../../plugins/http/index.ts';
import { CodecConversation, contentOf } from '../../support/codec-driving.ts';

export class Conversation extends CodecConversation<HttpPiece, HttpRequestCodec> {
  readonly settings: HttpSettings;

  constructor(given: Partial<HttpSettings> = {}, fromSyn = true) {
    const settings = httpSettings(given);
    super(new HttpRequestCodec(fromSyn, settings), tell);
    this.settings = settings;
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
