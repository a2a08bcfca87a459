/**
 * What a server says between the client's login and its own OK or ERR.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_switch_request.html
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_more_data.html
 */
import { parseErr, parseOk, type ErrPacket, type OkPacket } from './result-packets.ts';
import { withoutNul } from './greeting.ts';
import { PacketReader } from './packet-reader.ts';

const OK = 0x00;
const MORE_DATA = 0x01;
const SWITCH = 0xfe;
const ERR = 0xff;

export interface AuthSwitch {
  readonly kind: 'switch';
  /** `mysql_old_password` where the server names none. */
  readonly plugin: string;
  /** The challenge, without the NUL that follows it. */
  readonly scramble: Uint8Array;
}

export interface AuthMoreData {
  readonly kind: 'more';
  readonly data: Uint8Array;
}

export type AuthMessage =
  | AuthSwitch
  | AuthMoreData
  | { readonly kind: 'ok'; readonly ok: OkPacket }
  | { readonly kind: 'err'; readonly err: ErrPacket };

/** Owns its bytes. `undefined`: nothing that a server says in a login. */
export function parseAuthMessage(payload: Uint8Array): AuthMessage | undefined {
  switch (payload[0]) {
    case OK: {
      const ok = parseOk(payload);
      return ok === undefined ? undefined : { kind: 'ok', ok };
    }
    case MORE_DATA:
      return { kind: 'more', data: new Uint8Array(payload.subarray(1)) };
    case SWITCH: {
      if (payload.length === 1) return { kind: 'switch', plugin: 'mysql_old_password', scramble: new Uint8Array(0) };
      const reader = new PacketReader(payload, 1);
      const plugin = Buffer.from(reader.nulBytesOrRest()).toString('latin1');
      return { kind: 'switch', plugin, scramble: withoutNul(reader.rest()) };
    }
    case ERR: {
      const err = parseErr(payload);
      return err === undefined ? undefined : { kind: 'err', err };
    }
    default:
      return undefined;
  }
}
