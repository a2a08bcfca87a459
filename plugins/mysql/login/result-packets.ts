/**
 * OK and ERR, as every server since 4.1 sends them.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html
 */
import { PacketReader } from './packet-reader.ts';

const SQL_STATE = 0x23;
const SQL_STATE_LENGTH = 5;

export interface OkPacket {
  readonly affectedRows: number;
  /** Beyond 2^53 the nearest number there is. */
  readonly lastInsertId: number;
  readonly status: number;
  readonly warnings: number;
}

export interface ErrPacket {
  /** `1045`: https://mariadb.com/kb/en/mariadb-error-code-reference/ */
  readonly code: number;
  /** Five characters; `undefined` in a packet from before the login. */
  readonly sqlState: string | undefined;
  /** May hold what a client sent. */
  readonly message: string;
}

/** The payload begins with 0x00, or with 0xfe where OK stands in the place of EOF; `undefined`: it is too short. */
export function parseOk(payload: Uint8Array): OkPacket | undefined {
  const reader = new PacketReader(payload, 1);
  const affectedRows = reader.lenenc();
  const lastInsertId = reader.lenenc();
  const status = reader.u16();
  const warnings = reader.u16();
  return reader.failed ? undefined : { affectedRows, lastInsertId, status, warnings };
}

export function parseErr(payload: Uint8Array): ErrPacket | undefined {
  const reader = new PacketReader(payload, 1);
  const code = reader.u16();
  let sqlState: string | undefined;
  if (payload[reader.at] === SQL_STATE && reader.left > SQL_STATE_LENGTH) {
    reader.at++;
    sqlState = Buffer.from(reader.bytes(SQL_STATE_LENGTH)).toString('latin1');
  }
  return reader.failed ? undefined : { code, sqlState, message: Buffer.from(reader.rest()).toString() };
}
