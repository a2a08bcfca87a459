/** Names files that people take for captures, so that the error can say what to do. */
import { TcpcopyError } from '../core/errors.ts';

interface ForeignFormat {
  readonly magic: readonly number[];
  readonly name: string;
  readonly hint: string;
}

const DECOMPRESS = 'decompress it first';
const CONVERT = 'convert it with `editcap -F pcapng`';

const FOREIGN: readonly ForeignFormat[] = [
  { magic: [0x1f, 0x8b], name: 'gzip-compressed data', hint: DECOMPRESS },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], name: 'zstd-compressed data', hint: DECOMPRESS },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], name: 'xz-compressed data', hint: DECOMPRESS },
  { magic: [0x42, 0x5a, 0x68], name: 'bzip2-compressed data', hint: DECOMPRESS },
  { magic: [0x04, 0x22, 0x4d, 0x18], name: 'lz4-compressed data', hint: DECOMPRESS },
  { magic: [0x50, 0x4b, 0x03, 0x04], name: 'a zip archive', hint: 'unpack it first' },
  { magic: ascii('snoop\0\0\0'), name: 'a snoop capture', hint: CONVERT },
  { magic: ascii('RTSS'), name: 'a Microsoft Network Monitor 1 capture', hint: CONVERT },
  { magic: ascii('GMBU'), name: 'a Microsoft Network Monitor 2 capture', hint: CONVERT },
  { magic: ascii('TRSNIFF data'), name: 'a Sniffer capture', hint: CONVERT },
  { magic: ascii('XCP\0'), name: 'a NetXRay capture', hint: CONVERT },
  { magic: [0x7f, 0x45, 0x4c, 0x46], name: 'an ELF program', hint: 'give a recording' },
];

/** An ERF record: a 64-bit timestamp, a type of 1 to 48, flags, and a length. It has no magic. */
const ERF_TYPE_MAX = 48;
const ERF_HEADER_LENGTH = 16;
/** The line before a payload of GoReplay's: kind, id, time in nanoseconds. */
const GOREPLAY = /^[123] [0-9a-f]{24,40} \d{10}/;
/** How many leading bytes decide whether it is text. */
const TEXT_PROBE = 64;
/** Bytes enough for any of these. */
export const FOREIGN_PROBE_LENGTH = TEXT_PROBE;

/** The error for a file whose first bytes (`head`, all there are up to FOREIGN_PROBE_LENGTH) are no capture's. */
export function notACapture(head: Uint8Array): TcpcopyError {
  if (head.length === 0) return new TcpcopyError('E_CAPTURE_FORMAT', 'the file is empty');
  const foreign = FOREIGN.find(({ magic }) => magic.every((byte, i) => head[i] === byte));
  if (foreign !== undefined) return refused(foreign.name, foreign.hint);
  if (GOREPLAY.test(String.fromCharCode(...head))) {
    return refused(
      'a GoReplay recording',
      "its requests cannot be read: record packets, with 'tcpcopy record' or tcpdump",
    );
  }
  if (head.subarray(0, TEXT_PROBE).every(isText)) return refused('text', 'give a binary pcap or pcapng recording');
  if (looksLikeErf(head)) return refused('perhaps an Endace ERF capture', CONVERT);
  const hex = [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return refused(`something that begins with ${hex}`, 'give a pcap or pcapng recording');
}

function refused(what: string, hint: string): TcpcopyError {
  return new TcpcopyError('E_CAPTURE_FORMAT', `this is ${what}, not pcap or pcapng`, { hint });
}

function looksLikeErf(head: Uint8Array): boolean {
  if (head.length < ERF_HEADER_LENGTH) return false;
  const type = head[8]! & 0x7f;
  const recordLength = (head[10]! << 8) | head[11]!;
  return type >= 1 && type <= ERF_TYPE_MAX && recordLength >= ERF_HEADER_LENGTH && head[3]! >= 0x30;
}

function isText(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function ascii(text: string): number[] {
  return [...text].map((char) => char.charCodeAt(0));
}
