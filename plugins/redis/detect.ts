/** Whether bytes begin like a connection of a Redis client. */
import { commandSpec, isContainer, takes } from './command-spec.ts';
import { splitInline } from './inline-arguments.ts';

export type Detection = 'yes' | 'no' | 'more';

const MULTIBULK = /^\*[1-9]\d{0,9}\r\n\$[1-9]\d{0,5}\r\n[\x21-\x7e]/;
const BEGINNING = 32;
const LONGEST_LINE = 1024;
/** What people and health checks type; in other lines lower case is more likely memcached's, or plain text. */
const TYPED = /^(ping|info|auth|select|client|hello)$/i;
const SASL_MECHANISM = /^[A-Z0-9-]{4,}$/;
const LF = 0x0a;

/**
 * Judges the first bytes of a connection, or of a segment. Multibulk requests look like nothing else. A line of text is
 * taken for Redis only when it is whole and a command that Redis has, with as many arguments as that takes, and no line
 * that memcached, mail or HTTP have as well. `more`: it may be the beginning of a multibulk request.
 */
export function detect(bytes: Uint8Array, offset: number, length: number): Detection {
  const end = offset + length;
  if (length === 0) return 'more';
  if (bytes[offset] !== 0x2a) return isInlineCommand(bytes, offset, end) ? 'yes' : 'no';
  const text = String.fromCharCode(...bytes.subarray(offset, Math.min(end, offset + BEGINNING)));
  if (MULTIBULK.test(text)) return 'yes';
  return isBeginning(text) ? 'more' : 'no';
}

/** Whether `text` can be continued to what `MULTIBULK` matches: then one of these, cut at its length, has its shape. */
function isBeginning(text: string): boolean {
  return /^\*([1-9]\d{0,9}(\r(\n(\$([1-9]\d{0,5}(\r\n?)?)?)?)?)?)?$/.test(text);
}

function isInlineCommand(bytes: Uint8Array, offset: number, end: number): boolean {
  const newline = bytes.subarray(offset, Math.min(end, offset + LONGEST_LINE)).indexOf(LF);
  if (newline <= 0) return false;
  const args = splitInline(bytes, offset, offset + newline)?.map((arg) => Buffer.from(arg).toString('latin1'));
  const [word = '', argument = ''] = args ?? [];
  const upper = word.toUpperCase();
  const name = isContainer(upper) && args!.length > 1 ? `${upper} ${argument.toUpperCase()}` : upper;
  const spec = commandSpec(name);
  if (spec === undefined || !takes(spec, args!.length)) return false;
  if (word !== upper && !TYPED.test(word)) return false;
  if (upper === 'HELLO' && !/^\d+$/.test(argument)) return false;
  return upper !== 'QUIT' && !(upper === 'AUTH' && SASL_MECHANISM.test(argument)) && !/^HTTP\//.test(args!.at(-1)!);
}
