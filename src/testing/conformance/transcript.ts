/** What a codec made of the bytes of a connection. */
import { textOf } from '../bytes.ts';

/** One message, or a stretch of bytes that the codec read no message in. */
export interface ReadMessage {
  /** As the spec tells it; `undefined`: no message was read in it. */
  readonly told: string | undefined;
  /** All its pieces. */
  bytes: Uint8Array;
  /** It has ended, as far as the codec knows. */
  whole: boolean;
  refused: boolean;
  readonly answers: number;
  /** Index of the turn in which it began. */
  readonly turn: number;
}

export interface Transcript {
  readonly messages: ReadMessage[];
  /** Bytes in all pieces. */
  pieceBytes: number;
  pushedBytes: number;
  missingBytes: number;
  /** What the codec swallowed while it looked for a boundary. */
  skippedBytes: number;
  /** What no codec may do, in words; the first of it ends the reading. */
  fault: string | undefined;
}

/** One line a message. */
export function lineOf({ told, bytes, whole, refused, answers }: ReadMessage): string {
  const facts = [whole ? 'whole' : 'open', ...(refused ? ['refused'] : []), ...(answers > 0 ? ['an answer'] : [])];
  return `${told === undefined ? 'no message' : bracketed(told)} ${quoted(bytes)} ${facts.join(', ')}`;
}

/** What was told, on one line. */
export function bracketed(told: string): string {
  return `[${JSON.stringify(told).slice(1, -1).replaceAll('\\"', '"')}]`;
}

/** Bytes as a string literal, shortened in the middle. */
export function quoted(bytes: Uint8Array): string {
  const text = textOf(bytes);
  const shown = text.length > 96 ? `${text.slice(0, 60)}…${text.length - 90} more…${text.slice(-30)}` : text;
  return JSON.stringify(shown).replace(
    /[\x7f-\xa0\xad]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
