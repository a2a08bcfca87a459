/**
 * COM_CHANGE_USER: a new login in a session that goes on.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_change_user.html
 */
import { CLIENT, type Capabilities } from './capabilities.ts';
import { PacketReader } from './packet-reader.ts';
import { PacketWriter } from './packet-writer.ts';

export const COM_CHANGE_USER = 0x11;

export interface ChangeUserFields {
  readonly user: Uint8Array;
  /** Empty: none. */
  readonly database: Uint8Array;
  /** The collation's id; `undefined` from clients that end before it. */
  readonly charset: number | undefined;
  readonly authPlugin?: string | undefined;
  /** Without the length before them; see `connectAttributes`. */
  readonly attributes?: Uint8Array | undefined;
}

/** Owns its bytes. What answers the challenge is not shown by `inspect` or JSON. */
export class ChangeUser implements ChangeUserFields {
  readonly user: Uint8Array;
  readonly database: Uint8Array;
  readonly charset: number | undefined;
  readonly authPlugin: string | undefined;
  readonly attributes: Uint8Array | undefined;
  readonly #authResponse: Uint8Array;

  constructor(fields: ChangeUserFields, authResponse: Uint8Array) {
    this.user = fields.user;
    this.database = fields.database;
    this.charset = fields.charset;
    this.authPlugin = fields.authPlugin;
    this.attributes = fields.attributes;
    this.#authResponse = authResponse;
  }

  get authResponse(): Uint8Array {
    return this.#authResponse;
  }
}

/** `client`: what the session agreed on. Nothing is kept of `payload`. `undefined`: it is no such command. */
export function parseChangeUser(payload: Uint8Array, client: Capabilities): ChangeUser | undefined {
  const has = (flag: number): boolean => (client.flags & flag) !== 0;
  const reader = new PacketReader(payload);
  if (reader.u8() !== COM_CHANGE_USER) return undefined;
  const user = new Uint8Array(reader.nulBytes());
  // The length is one byte here, whatever a login has.
  const answer = has(CLIENT.SECURE_CONNECTION) ? reader.bytes(reader.u8()) : reader.nulBytes();
  const authResponse = new Uint8Array(answer);
  const database = new Uint8Array(reader.nulBytesOrRest());
  const charset = reader.left >= 2 ? reader.u16() : undefined;
  const named = has(CLIENT.PLUGIN_AUTH) && reader.left > 0;
  const authPlugin = named ? Buffer.from(reader.nulBytesOrRest()).toString('latin1') : undefined;
  const attributes = has(CLIENT.CONNECT_ATTRS) && reader.left > 0 ? new Uint8Array(reader.lenencBytes()) : undefined;
  if (reader.failed) return undefined;
  return new ChangeUser({ user, database, charset, authPlugin, attributes }, authResponse);
}

/** Ends behind the first field that is not given. */
export function buildChangeUser(fields: ChangeUserFields, client: Capabilities, authResponse: Uint8Array): Uint8Array {
  const has = (flag: number): boolean => (client.flags & flag) !== 0;
  const writer = new PacketWriter().uint(1, COM_CHANGE_USER).nulBytes(fields.user);
  if (has(CLIENT.SECURE_CONNECTION)) writer.uint(1, authResponse.length).bytes(authResponse);
  else writer.nulBytes(authResponse);
  writer.nulBytes(fields.database);
  if (fields.charset === undefined) return writer.payload();
  writer.uint(2, fields.charset);
  if (!has(CLIENT.PLUGIN_AUTH) || fields.authPlugin === undefined) return writer.payload();
  writer.nulBytes(fields.authPlugin);
  if (has(CLIENT.CONNECT_ATTRS) && fields.attributes !== undefined) writer.lenencBytes(fields.attributes);
  return writer.payload();
}
