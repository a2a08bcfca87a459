/**
 * The server's first packet: Protocol::HandshakeV10.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
 */
import { CLIENT, type Capabilities } from './capabilities.ts';
import { PacketReader } from './packet-reader.ts';

const PROTOCOL_VERSION = 10;
/** Length of the challenge of all methods but `client_ed25519`, bytes. */
export const SCRAMBLE_LENGTH = 20;
const FIRST_PART = 8;

export interface Greeting {
  /** `8.0.36`, `5.5.5-10.11.6-MariaDB`. */
  readonly serverVersion: string;
  readonly connectionId: number;
  /** The challenge, without the NUL that follows it. */
  readonly scramble: Uint8Array;
  readonly capabilities: Capabilities;
  /** The low byte of the collation's id. */
  readonly charset: number;
  readonly status: number;
  /** The method that the challenge is for; `undefined` from servers before 5.5.7, whose is mysql_native_password. */
  readonly authPlugin: string | undefined;
}

/** Nothing is kept of `payload`. `undefined`: it is no such packet. */
export function parseGreeting(payload: Uint8Array): Greeting | undefined {
  const reader = new PacketReader(payload);
  if (reader.u8() !== PROTOCOL_VERSION) return undefined;
  const serverVersion = text(reader.nulBytes());
  const connectionId = reader.u32();
  const first = reader.bytes(FIRST_PART);
  reader.bytes(1);
  const low = reader.u16();
  const charset = reader.u8();
  const status = reader.u16();
  const flags = low + reader.u16() * 0x10000;
  const scrambleLength = reader.u8();
  reader.bytes(6);
  const filler = reader.u32();
  const second = reader.bytes(Math.min(reader.left, Math.max(SCRAMBLE_LENGTH - 7, scrambleLength - FIRST_PART)));
  if (reader.failed) return undefined;
  const scramble = withoutNul(Uint8Array.from([...first, ...second]));
  const named = (flags & CLIENT.PLUGIN_AUTH) !== 0;
  return {
    serverVersion,
    connectionId,
    scramble,
    capabilities: { flags, extended: (flags & CLIENT.LONG_PASSWORD) === 0 ? filler : 0 },
    charset,
    status,
    authPlugin: named ? text(reader.nulBytesOrRest()) : undefined,
  };
}

/** Whether the version is one of MariaDB's, which speaks the protocol a little differently. */
export function isMariaDb(serverVersion: string): boolean {
  return /mariadb/i.test(serverVersion);
}

/** A copy. A challenge is followed by a NUL, which is none of it. */
export function withoutNul(challenge: Uint8Array): Uint8Array {
  return new Uint8Array(challenge.at(-1) === 0 ? challenge.subarray(0, -1) : challenge);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
