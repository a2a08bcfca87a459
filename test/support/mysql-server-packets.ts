/** What a MySQL server says while a client logs in: the other way round of what `plugins/mysql/login` parses. */
import type { Greeting } from '../../plugins/mysql/login/greeting.ts';
import { PacketWriter, type ErrPacket, type OkPacket } from '../../plugins/mysql/login/index.ts';

/** The challenge is sent in two parts, of which the first is so long. */
const FIRST_PART = 8;

export function buildGreeting(greeting: Greeting): Uint8Array {
  const { capabilities, scramble, authPlugin } = greeting;
  const writer = new PacketWriter()
    .uint(1, 10)
    .nulBytes(greeting.serverVersion)
    .uint(4, greeting.connectionId)
    .bytes(scramble.subarray(0, FIRST_PART))
    .zeros(1)
    .uint(2, capabilities.flags & 0xffff)
    .uint(1, greeting.charset)
    .uint(2, greeting.status)
    .uint(2, capabilities.flags >>> 16)
    .uint(1, authPlugin === undefined ? 0 : scramble.length + 1)
    .zeros(6)
    .uint(4, capabilities.extended)
    .nulBytes(scramble.subarray(FIRST_PART));
  return (authPlugin === undefined ? writer : writer.nulBytes(authPlugin)).payload();
}

export function buildAuthSwitch(plugin: string, scramble: Uint8Array): Uint8Array {
  return new PacketWriter().uint(1, 0xfe).nulBytes(plugin).nulBytes(scramble).payload();
}

export function buildAuthMoreData(data: Uint8Array): Uint8Array {
  return new PacketWriter().uint(1, 0x01).bytes(data).payload();
}

export function buildOk({ affectedRows, lastInsertId, status, warnings }: OkPacket): Uint8Array {
  return new PacketWriter()
    .uint(1, 0x00)
    .lenenc(affectedRows)
    .lenenc(lastInsertId)
    .uint(2, status)
    .uint(2, warnings)
    .payload();
}

export function buildErr({ code, sqlState, message }: ErrPacket): Uint8Array {
  const state = sqlState === undefined ? '' : `#${sqlState}`;
  return new PacketWriter().uint(1, 0xff).uint(2, code).bytes(state).bytes(Buffer.from(message)).payload();
}
