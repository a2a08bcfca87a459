/** A request codec driven step by step. */
import { HttpRequestCodec, httpSettings, type HttpPiece, type HttpSettings } from '../../../plugins/http/index.ts';
import { CodecConversation, contentOf } from '../../support/codec-driving.ts';

/** What it is given, and what that gives. */
export const GET = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
export const NEXT = 'GET /b HTTP/1.1\r\nHost: x\r\n\r\n';
export const HEAD_OF_10 = 'POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n';
export const CHUNKED = 'POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
export const GOT = `^[GET /a] ${GET}$`;
export const GOT_NEXT = `^[GET /b] ${NEXT}$`;

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
