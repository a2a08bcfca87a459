/**
 * The client's answer to the greeting: Protocol::HandshakeResponse41, or Protocol::SSLRequest before TLS begins.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html
 * https://mariadb.com/kb/en/connection/#client-handshake-response
 */
import { CLIENT, type Capabilities } from './capabilities.ts';
import { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';

/** Flags, packet size, charset and filler: also the whole of a request for TLS. */
const FIXED_LENGTH = 32;
const FILLER = 19;

export interface HandshakeFields {
  /** As the client sends them. */
  readonly capabilities: Capabilities;
  readonly maxPacket: number;
  /** The low byte of the collation's id. */
  readonly charset: number;
  /** In that charset, like the database. */
  readonly user: Uint8Array;
  readonly database?: Uint8Array | undefined;
  readonly authPlugin?: string | undefined;
  /** Without the length before them; see `connectAttributes`. */
  readonly attributes?: Uint8Array | undefined;
  /** Where zstd was chosen. */
  readonly zstdLevel?: number | undefined;
}

/** A login as the client sent it. It owns its bytes. What answers the challenge is not shown by `inspect` or JSON. */
export class HandshakeResponse implements HandshakeFields {
  readonly capabilities: Capabilities;
  readonly maxPacket: number;
  readonly charset: number;
  readonly user: Uint8Array;
  readonly database: Uint8Array | undefined;
  readonly authPlugin: string | undefined;
  readonly attributes: Uint8Array | undefined;
  readonly zstdLevel: number | undefined;
  readonly #authResponse: Uint8Array;

  constructor(fields: HandshakeFields, authResponse: Uint8Array) {
    this.capabilities = fields.capabilities;
    this.maxPacket = fields.maxPacket;
    this.charset = fields.charset;
    this.user = fields.user;
    this.database = fields.database;
    this.authPlugin = fields.authPlugin;
    this.attributes = fields.attributes;
    this.zstdLevel = fields.zstdLevel;
    this.#authResponse = authResponse;
  }

  /** Empty where the password is, or where the client waits for another method. */
  get authResponse(): Uint8Array {
    return this.#authResponse;
  }
}

/** What the client's first packet is. */
export type ClientHello =
  | { readonly kind: 'login'; readonly response: HandshakeResponse }
  /** TLS begins behind it. */
  | { readonly kind: 'tls'; readonly capabilities: Capabilities }
  /** The login of clients before MySQL 4.1. */
  | { readonly kind: 'old' };

/** Nothing is kept of `payload`. `undefined`: it is no such packet. */
export function parseClientHello(payload: Uint8Array): ClientHello | undefined {
  const reader = new PacketReader(payload);
  const low = reader.u16();
  if ((low & CLIENT.PROTOCOL_41) === 0) return isOldLogin(payload) ? { kind: 'old' } : undefined;
  const flags = low + reader.u16() * 0x10000;
  const maxPacket = reader.u32();
  const charset = reader.u8();
  reader.bytes(FILLER);
  const last = reader.u32();
  const capabilities = { flags, extended: (flags & CLIENT.LONG_PASSWORD) === 0 ? last : 0 };
  if (!reader.failed && payload.length === FIXED_LENGTH && (flags & CLIENT.SSL) !== 0)
    return { kind: 'tls', capabilities };
  const user = new Uint8Array(reader.nulBytes());
  const authResponse = new Uint8Array(readAuthResponse(reader, flags));
  const has = (flag: number): boolean => (flags & flag) !== 0;
  // Some clients set the flag without a database; the server then finds the end, or the method.
  const database = has(CLIENT.CONNECT_WITH_DB) && reader.left > 0 ? new Uint8Array(reader.nulBytesOrRest()) : undefined;
  const authPlugin = has(CLIENT.PLUGIN_AUTH) && reader.left > 0 ? text(reader.nulBytesOrRest()) : undefined;
  const attributes = has(CLIENT.CONNECT_ATTRS) && reader.left > 0 ? new Uint8Array(reader.lenencBytes()) : undefined;
  const zstdLevel = has(CLIENT.ZSTD_COMPRESSION) && reader.left > 0 ? reader.u8() : undefined;
  if (reader.failed) return undefined;
  const fields = { capabilities, maxPacket, charset, user, database, authPlugin, attributes, zstdLevel };
  return { kind: 'login', response: new HandshakeResponse(fields, authResponse) };
}

/** The fields go as the flags say; what the flags do not name is left out. */
export function buildHandshakeResponse(fields: HandshakeFields, authResponse: Uint8Array): Uint8Array {
  const { flags, extended } = fields.capabilities;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const writer = new PacketWriter()
    .uint(4, flags)
    .uint(4, fields.maxPacket)
    .uint(1, fields.charset)
    .zeros(FILLER)
    .uint(4, extended)
    .nulBytes(fields.user);
  writeAuthResponse(writer, flags, authResponse);
  if (has(CLIENT.CONNECT_WITH_DB)) writer.nulBytes(fields.database ?? '');
  if (has(CLIENT.PLUGIN_AUTH)) writer.nulBytes(fields.authPlugin ?? '');
  if (has(CLIENT.CONNECT_ATTRS)) writer.lenencBytes(fields.attributes ?? new Uint8Array(0));
  if (has(CLIENT.ZSTD_COMPRESSION)) writer.uint(1, fields.zstdLevel ?? 0);
  return writer.payload();
}

function readAuthResponse(reader: PacketReader, flags: number): Uint8Array {
  if ((flags & CLIENT.PLUGIN_AUTH_LENENC_CLIENT_DATA) !== 0) return reader.lenencBytes();
  return (flags & CLIENT.SECURE_CONNECTION) !== 0 ? reader.bytes(reader.u8()) : reader.nulBytes();
}

/** Without a length before it the answer must be short, as those of all methods are that begin in this packet. */
function writeAuthResponse(writer: PacketWriter, flags: number, response: Uint8Array): void {
  if ((flags & CLIENT.PLUGIN_AUTH_LENENC_CLIENT_DATA) !== 0) writer.lenencBytes(response);
  else if ((flags & CLIENT.SECURE_CONNECTION) !== 0) writer.uint(1, response.length).bytes(response);
  else writer.nulBytes(response);
}

/** Protocol::HandshakeResponse320: two bytes of flags, three of the packet size, a name. */
function isOldLogin(payload: Uint8Array): boolean {
  const reader = new PacketReader(payload, 5);
  const user = reader.nulBytes();
  return !reader.failed && user.every((byte) => byte >= 0x20);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
