/** Whether bytes begin like a connection of a MySQL client, or like one of its commands. */
import { detectCommand, detectCompressed, isRun, type Detection } from './boundary.ts';
import type { MysqlConnection } from './connection.ts';
import { CLIENT } from './login/index.ts';
import { HEADER_LENGTH, payloadLength } from './packet.ts';

export type { Detection } from './boundary.ts';

/** Flags, packet size and charset, a filler of zeros, and MariaDB's flags: then the user. */
const FIXED = 32;
const FILLER_AT = HEADER_LENGTH + 9;
const FILLER_END = HEADER_LENGTH + 28;

/** Judges the first bytes of a connection, or of a segment. */
export function detect(bytes: Uint8Array, offset: number, length: number): Detection {
  const end = offset + length;
  const hello = detectHello(bytes, offset, end);
  if (hello !== 'no') return hello;
  if (isRun(bytes, offset, end) || detectCompressed(bytes, offset, end)) return 'yes';
  return 'no';
}

/**
 * What begins at `from` in a connection of which that is not known. `turned`: the client has seen an answer since it last
 * sent, so that a message may well begin there, and looser signs are believed.
 */
export function findMessage(
  bytes: Uint8Array,
  from: number,
  to: number,
  turned: boolean,
  { capabilities, compression }: Pick<MysqlConnection, 'capabilities' | 'compression'>,
): 'hello' | 'command' | 'zlib' | undefined {
  if (compression === 'zlib') return detectCompressed(bytes, from, to) ? 'zlib' : undefined;
  if (turned && detectHello(bytes, from, to) === 'yes') return 'hello';
  if (isRun(bytes, from, to)) return 'command';
  if (turned && capabilities === undefined && detectCompressed(bytes, from, to)) return 'zlib';
  return turned && detectCommand(bytes, from, to, false) !== 'no' ? 'command' : undefined;
}

/** The client's answer to a greeting: it has the number 1, as no command has. */
export function detectHello(bytes: Uint8Array, from: number, to: number): Detection {
  // None is longer than 64 KiB.
  if (to - from > 2 && bytes[from + 2] !== 0) return 'no';
  if (to - from >= HEADER_LENGTH) {
    const length = payloadLength(bytes, from);
    if (bytes[from + 3] !== 1 || length < FIXED) return 'no';
  }
  if (to - from >= HEADER_LENGTH + 2) {
    const low = bytes[from + HEADER_LENGTH]! | (bytes[from + HEADER_LENGTH + 1]! << 8);
    if ((low & CLIENT.PROTOCOL_41) === 0) return 'no';
  }
  for (let at = from + FILLER_AT; at < Math.min(to, from + FILLER_END); at++) if (bytes[at] !== 0) return 'no';
  return to - from >= FILLER_END ? 'yes' : 'more';
}
