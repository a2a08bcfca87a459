/**
 * Values of the binary protocol, as EXECUTE brings them.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
 */
import type { PacketReader } from './login/packet-reader.ts';

/** Dates and times are text, as SQL writes them; `undefined`: it was sent ahead, with SEND_LONG_DATA. */
export type MysqlValue = string | number | bigint | Uint8Array | null | undefined;

export interface MysqlParameter {
  /** The type's number in the protocol, such as 3 for an INT and 253 for a VARCHAR. */
  readonly type: number;
  readonly unsigned: boolean;
  /** Of a query attribute; empty for the parameters of a statement. */
  readonly name: string;
  readonly value: MysqlValue;
}

const TYPE = {
  TINY: 0x01,
  SHORT: 0x02,
  LONG: 0x03,
  FLOAT: 0x04,
  DOUBLE: 0x05,
  NULL: 0x06,
  TIMESTAMP: 0x07,
  LONGLONG: 0x08,
  INT24: 0x09,
  DATE: 0x0a,
  TIME: 0x0b,
  DATETIME: 0x0c,
  YEAR: 0x0d,
  TINY_BLOB: 0xf9,
  BLOB: 0xfc,
  GEOMETRY: 0xff,
} as const;

/** Reads a value of `type` and moves on behind it. What it reads of bytes it keeps a copy of. */
export function readValue(reader: PacketReader, type: number, unsigned: boolean): MysqlValue {
  switch (type) {
    case TYPE.NULL:
      return null;
    case TYPE.TINY:
      return integer(reader, 1, unsigned);
    case TYPE.SHORT:
    case TYPE.YEAR:
      return integer(reader, 2, unsigned);
    case TYPE.LONG:
    case TYPE.INT24:
      return integer(reader, 4, unsigned);
    case TYPE.LONGLONG:
      return longInteger(reader, unsigned);
    case TYPE.FLOAT:
      return floating(reader, 4);
    case TYPE.DOUBLE:
      return floating(reader, 8);
    case TYPE.DATE:
    case TYPE.DATETIME:
    case TYPE.TIMESTAMP:
      return date(reader, type);
    case TYPE.TIME:
      return time(reader);
    default:
      return textOrBytes(reader.lenencBytes(), type);
  }
}

function integer(reader: PacketReader, length: number, unsigned: boolean): number {
  const value = reader.uint(length);
  const half = 2 ** (length * 8 - 1);
  return unsigned || value < half ? value : value - 2 * half;
}

/** A number where that is exact. */
function longInteger(reader: PacketReader, unsigned: boolean): number | bigint {
  const bytes = bufferOf(reader.bytes(8));
  if (bytes.length < 8) return 0;
  const value = unsigned ? bytes.readBigUInt64LE() : bytes.readBigInt64LE();
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function floating(reader: PacketReader, length: 4 | 8): number {
  const bytes = bufferOf(reader.bytes(length));
  if (bytes.length < length) return 0;
  // As many digits as a float has.
  return length === 8 ? bytes.readDoubleLE() : Number(bytes.readFloatLE().toPrecision(7));
}

function date(reader: PacketReader, type: number): string {
  const length = reader.u8();
  const end = reader.at + length;
  const [year, month, day] = length >= 4 ? [reader.u16(), reader.u8(), reader.u8()] : [0, 0, 0];
  const days = `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
  const clock = length >= 7 ? hours(reader) : '00:00:00';
  const micros = length >= 11 ? `.${pad(reader.u32(), 6)}` : '';
  reader.bytes(Math.max(0, end - reader.at));
  return type === TYPE.DATE && length <= 4 ? days : `${days} ${clock}${micros}`;
}

function time(reader: PacketReader): string {
  const length = reader.u8();
  if (length < 8) {
    reader.bytes(length);
    return '00:00:00';
  }
  const end = reader.at + length;
  const sign = reader.u8() === 1 ? '-' : '';
  const days = reader.u32();
  const [hour, ...rest] = hours(reader).split(':');
  const micros = length >= 12 ? `.${pad(reader.u32(), 6)}` : '';
  reader.bytes(Math.max(0, end - reader.at));
  return `${sign}${pad(days * 24 + Number(hour))}:${rest.join(':')}${micros}`;
}

function hours(reader: PacketReader): string {
  return `${pad(reader.u8())}:${pad(reader.u8())}:${pad(reader.u8())}`;
}

function pad(value: number, digits = 2): string {
  return String(value).padStart(digits, '0');
}

/** Blobs are bytes; so is a string that is no UTF-8. */
function textOrBytes(bytes: Uint8Array, type: number): string | Uint8Array {
  if ((type >= TYPE.TINY_BLOB && type <= TYPE.BLOB) || type === TYPE.GEOMETRY) return Uint8Array.from(bytes);
  return utf8(bytes) ?? Uint8Array.from(bytes);
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `undefined`: it is no UTF-8. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
