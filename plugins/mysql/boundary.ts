/**
 * Whether bytes begin a command, where that is not known: in a connection that was open before, and behind a gap.
 *
 * The header of a packet with a command has the number 0, and what is behind it has the shape of that command. `isRun` asks
 * for more: commands, one after another, to the end of the bytes, of which only the last may be cut off.
 */
import { COMMANDS, type CommandName } from './command-names.ts';
import { HEADER_LENGTH, LONGEST_PAYLOAD, payloadLength } from './packet.ts';

export type Detection = 'yes' | 'no' | 'more';

/** Length of the payload of commands that have no other. */
const LENGTHS: Partial<Record<CommandName, number>> = {
  QUIT: 1,
  STATISTICS: 1,
  PROCESS_INFO: 1,
  DEBUG: 1,
  PING: 1,
  RESET_CONNECTION: 1,
  SET_OPTION: 3,
  STMT_CLOSE: 5,
  STMT_RESET: 5,
  PROCESS_KILL: 5,
  STMT_FETCH: 9,
};
const LONGEST_NAME = 1024;
const EXECUTE_HEAD = 10;
const LONG_DATA_HEAD = 7;
const BULK_HEAD = 7;
/** As much of a text as is looked at. */
const LOOKED_AT = 64;
const VERB =
  /^[\s(;]*(?:\/\*|--\s|#|(?:select|insert|update|delete|replace|set|show|begin|start|commit|rollback|use|with|call|create|drop|alter|truncate|explain|describe|desc|lock|unlock|prepare|execute|deallocate|load|analyze|optimize|check|checksum|flush|grant|revoke|kill|xa|savepoint|release|do|handler|values|table|rename|help|repair)\b)/i;

/** `strict`: a text has to begin as a statement does. */
export function detectCommand(bytes: Uint8Array, from: number, to: number, strict: boolean): Detection {
  if (to - from < HEADER_LENGTH + 1) return mayBegin(bytes, from, to) ? 'more' : 'no';
  const length = payloadLength(bytes, from);
  const name = COMMANDS[bytes[from + HEADER_LENGTH]!];
  if (bytes[from + 3] !== 0 || length === 0 || name === undefined) return 'no';
  const payload = bytes.subarray(from + HEADER_LENGTH, Math.min(to, from + HEADER_LENGTH + length));
  return hasShape(name, payload, length, strict) ? 'yes' : 'no';
}

/** Whether all of the bytes are commands, by their shapes. */
export function isRun(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from, count = 0; at < to; count++) {
    const found = detectCommand(bytes, at, to, true);
    if (found === 'more') return count > 0;
    if (found === 'no') return false;
    const length = payloadLength(bytes, at);
    // The packets behind one of the longest have other numbers.
    if (length === LONGEST_PAYLOAD) return true;
    at += HEADER_LENGTH + length;
  }
  return true;
}

/** A frame of a compressed session that begins with a command. */
export function detectCompressed(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from < 9 || bytes[from + 3] !== 0) return false;
  const length = payloadLength(bytes, from);
  const plain = payloadLength(bytes, from + 4);
  const begin = from + 7;
  if (plain === 0) return length >= 5 && detectCommand(bytes, begin, Math.min(to, begin + length), true) === 'yes';
  // The header of zlib: its method, and a check of both bytes (RFC 1950 §2.2).
  const zlib = bytes[begin] === 0x78 && ((bytes[begin]! << 8) | bytes[begin + 1]!) % 31 === 0;
  return zlib && length < plain && length >= 8;
}

function mayBegin(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from < 4 || (bytes[from + 3] === 0 && payloadLength(bytes, from) > 0);
}

/** `payload`: as far as it is there. */
function hasShape(name: CommandName, payload: Uint8Array, length: number, strict: boolean): boolean {
  const exact = LENGTHS[name];
  if (exact !== undefined) return length === exact;
  switch (name) {
    case 'QUERY':
    case 'STMT_PREPARE':
      return length > 1 && isText(payload, strict);
    case 'STMT_EXECUTE':
      return length >= EXECUTE_HEAD && payload.length >= EXECUTE_HEAD && isExecute(payload);
    case 'STMT_BULK_EXECUTE':
      return length >= BULK_HEAD;
    case 'STMT_SEND_LONG_DATA':
      return length >= LONG_DATA_HEAD;
    case 'INIT_DB':
    case 'CREATE_DB':
    case 'DROP_DB':
    case 'FIELD_LIST':
      return (
        length > 1 &&
        length < LONGEST_NAME &&
        !payload.subarray(1).some((byte, i) => byte < 0x20 && (byte !== 0 || i === 0))
      );
    case 'CHANGE_USER':
      return length > 4 && length < LONGEST_NAME * 64 && payload.indexOf(0, 1) > 0;
    case 'REFRESH':
      return length === 2;
    case 'SHUTDOWN':
      return length <= 2;
    default:
      return !strict;
  }
}

/** Run once, with flags that there are. */
function isExecute(payload: Uint8Array): boolean {
  return payload[5]! < 0x10 && payload[6] === 1 && payload[7] === 0 && payload[8] === 0 && payload[9] === 0;
}

/** Text, perhaps behind attributes, of which only none are known by their bytes. */
function isText(payload: Uint8Array, strict: boolean): boolean {
  const from = payload[1] === 0 && payload[2] === 1 ? 3 : 1;
  const text = String.fromCharCode(...payload.subarray(from, LOOKED_AT));

  return strict ? VERB.test(text) : !/[\0-\x08\x0e-\x1f]/.test(text);
}
