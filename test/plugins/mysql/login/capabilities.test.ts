import { expect, it } from 'vitest';
import { chooseCapabilities, CLIENT, compressionOf, MARIADB } from '../../../../plugins/mysql/login/capabilities.ts';
import { targetCharset } from '../../../../plugins/mysql/login/charset.ts';

const EVERYTHING = { flags: 0xffffffff, extended: 0 };

it('what the client had online, but for what cannot be replayed', () => {
  const { flags } = chooseCapabilities(EVERYTHING, EVERYTHING, false);
  const never = ['COMPRESS', 'SSL', 'ZSTD_COMPRESSION', 'CONNECT_WITH_DB', 'SSL_VERIFY_SERVER_CERT'] as const;
  for (const name of never) expect([name, flags & CLIENT[name]]).toEqual([name, 0]);
  const kept = ['FOUND_ROWS', 'MULTI_STATEMENTS', 'DEPRECATE_EOF', 'QUERY_ATTRIBUTES', 'CONNECT_ATTRS'] as const;
  for (const name of kept) expect(flags & CLIENT[name]).toBe(CLIENT[name]);
  expect(chooseCapabilities(EVERYTHING, EVERYTHING, true).flags & CLIENT.CONNECT_WITH_DB).not.toBe(0);
});

it('nothing that the client had not, but for the login', () => {
  const { flags } = chooseCapabilities({ flags: CLIENT.LONG_PASSWORD, extended: 0 }, EVERYTHING, false);
  const login =
    CLIENT.PROTOCOL_41 | CLIENT.SECURE_CONNECTION | CLIENT.PLUGIN_AUTH | CLIENT.PLUGIN_AUTH_LENENC_CLIENT_DATA;
  expect(flags).toBe(CLIENT.LONG_PASSWORD | login);
});

it('nothing that the target has not', () => {
  const target = { flags: CLIENT.PROTOCOL_41 | CLIENT.SECURE_CONNECTION, extended: 0 };
  expect(chooseCapabilities(EVERYTHING, target, false).flags).toBe(target.flags | CLIENT.LONG_PASSWORD);
});

it("MariaDB's own, where both are", () => {
  const mariadb = { flags: 0xfffffffe, extended: 0x3f };
  expect(chooseCapabilities(mariadb, mariadb, false)).toMatchObject({
    extended: 0x3f & ~(MARIADB.PROGRESS | MARIADB.COM_MULTI),
  });
  expect(chooseCapabilities(EVERYTHING, mariadb, false).extended).toBe(0);
  expect(chooseCapabilities(mariadb, EVERYTHING, false).extended).toBe(0);
});

it('how a session is compressed', () => {
  const of = (flags: number) => compressionOf({ flags, extended: 0 });
  expect([of(CLIENT.COMPRESS), of(CLIENT.ZSTD_COMPRESSION), of(CLIENT.PROTOCOL_41)]).toEqual(['zlib', 'zstd', 'none']);
});

it('a collation that the target knows', () => {
  expect([targetCharset(255, true), targetCharset(255, false)]).toEqual([45, 255]);
  expect([targetCharset(2304, true), targetCharset(2304, false)]).toEqual([2304, 45]);
  expect([targetCharset(8, true), targetCharset(8, false)]).toEqual([8, 8]);
});
