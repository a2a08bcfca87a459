/** Packets of logins, statements and answers, as clients and servers of the tests send them. */
import { buildHandshakeResponse } from '../../../plugins/mysql/login/handshake-response.ts';
import { CLIENT } from '../../../plugins/mysql/login/index.ts';
import { packet } from './transcript.ts';
import { buildGreeting } from '../../support/mysql-server-packets.ts';

/** What client and server of the tests can. */
export const FLAGS =
  CLIENT.PROTOCOL_41 |
  CLIENT.SECURE_CONNECTION |
  CLIENT.PLUGIN_AUTH |
  CLIENT.TRANSACTIONS |
  CLIENT.DEPRECATE_EOF |
  CLIENT.CONNECT_WITH_DB |
  CLIENT.LONG_PASSWORD;

export const greeting = (flags: number = FLAGS): Buffer =>
  packet(
    0,
    buildGreeting({
      ...{
        serverVersion: '8.0.36',
        connectionId: 7,
        scramble: Buffer.from('12345678901234567890'),
        charset: 45,
        status: 2,
      },
      ...{ capabilities: { flags, extended: 0 }, authPlugin: 'mysql_native_password' },
    }),
  );

export const clientLogin = (database: string | undefined = 'shop', flags: number = FLAGS): Buffer =>
  packet(
    1,
    buildHandshakeResponse(
      {
        ...{ capabilities: { flags, extended: 0 }, maxPacket: 1 << 24, charset: 45, user: Buffer.from('app') },
        ...{
          database: database === undefined ? undefined : Buffer.from(database),
          authPlugin: 'mysql_native_password',
        },
      },
      Buffer.from('online answer 123456'),
    ),
  );

export const ok = (sequence = 1, status = 2): Buffer => packet(sequence, 0, 0, 0, [status, 0], [0, 0]);
export const error = (code: number, sequence = 1): Buffer =>
  packet(sequence, 0xff, [code & 255, code >> 8], '#HY000no');
export const prepared = (id: number, parameters = 0): Buffer =>
  Buffer.concat([
    packet(1, 0, [id, 0, 0, 0], [0, 0], [parameters, 0], 0, [0, 0]),
    ...Array.from({ length: parameters }, (_, i) => packet(2 + i, '\x03def')),
  ]);
export const prepare = (sql: string): Buffer => packet(0, 0x16, sql);
export const about = (code: number, id: number, ...rest: readonly number[]): Buffer =>
  packet(0, code, [id, 0, 0, 0], rest);
/** One INT parameter; without its type where the client told it before. */
export const execute = (id: number, value: number, typed = true): Buffer =>
  about(0x17, id, 0, 1, 0, 0, 0, 0, ...(typed ? [1, 3, 0] : [0]), value, 0, 0, 0);
