import { inspect } from 'node:util';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { parseAuthMessage } from '../../../../plugins/mysql/login/auth-packets.ts';
import { CLIENT } from '../../../../plugins/mysql/login/capabilities.ts';
import {
  buildChangeUser,
  parseChangeUser,
  type ChangeUserFields,
} from '../../../../plugins/mysql/login/change-user.ts';
import { connectAttributes } from '../../../../plugins/mysql/login/connect-attributes.ts';
import { isMariaDb, parseGreeting, type Greeting } from '../../../../plugins/mysql/login/greeting.ts';
import {
  buildHandshakeResponse,
  parseClientHello,
  type HandshakeFields,
} from '../../../../plugins/mysql/login/handshake-response.ts';
import { parseErr, parseOk } from '../../../../plugins/mysql/login/result-packets.ts';
import {
  buildAuthMoreData,
  buildAuthSwitch,
  buildErr,
  buildGreeting,
  buildOk,
} from '../../../support/mysql-server-packets.ts';

const MYSQL2 = createRequire(createRequire(import.meta.url).resolve('mysql2/package.json'));
interface Mysql2Packet {
  readonly buffer: Buffer;
}
const packets = MYSQL2('./lib/packets/index.js') as {
  Packet: new (id: number, buffer: Buffer, start: number, end: number) => object;
  Handshake: { fromPacket(packet: object): Record<string, unknown> };
  HandshakeResponse: {
    new (fields: object): { toPacket(): Mysql2Packet };
    fromPacket(packet: object): Record<string, unknown>;
  };
  ChangeUser: new (fields: object) => { toPacket(): Mysql2Packet };
};

const SCRAMBLE = Buffer.from('0123456789abcdefghij');
const ATTRIBUTES = Buffer.from('\x05_name\x03abc\x04prog\x00', 'latin1');
const MODERN =
  CLIENT.LONG_PASSWORD |
  CLIENT.PROTOCOL_41 |
  CLIENT.SECURE_CONNECTION |
  CLIENT.PLUGIN_AUTH |
  CLIENT.PLUGIN_AUTH_LENENC_CLIENT_DATA |
  CLIENT.CONNECT_ATTRS;

const greeting: Greeting = {
  serverVersion: '8.0.36',
  connectionId: 0x12345678,
  scramble: SCRAMBLE,
  capabilities: { flags: 0xdfffffff, extended: 0 },
  charset: 255,
  status: 2,
  authPlugin: 'caching_sha2_password',
};

const login: HandshakeFields = {
  capabilities: { flags: (MODERN | CLIENT.CONNECT_WITH_DB) >>> 0, extended: 0 },
  maxPacket: 1 << 24,
  charset: 45,
  user: Buffer.from('app'),
  database: Buffer.from('shop'),
  authPlugin: 'mysql_native_password',
  attributes: ATTRIBUTES,
};

function mysql2Packet(payload: Uint8Array): object {
  const buffer = Buffer.concat([Buffer.alloc(4), payload]);
  return Object.assign(new packets.Packet(0, buffer, 0, buffer.length), { offset: 4 });
}

function loginOf(payload: Uint8Array) {
  const hello = parseClientHello(payload);
  if (hello?.kind !== 'login') throw new Error(`no login but ${hello?.kind}`);
  return hello.response;
}

/** All that is shorter parses to nothing, or to something: never to an exception. */
function everyPrefix(payload: Uint8Array, parse: (part: Uint8Array) => unknown): void {
  for (let length = 0; length < payload.length; length++) parse(payload.slice(0, length));
}

describe('greeting', () => {
  it('is read as it was built, and as mysql2 reads it', () => {
    const mariadb = { flags: 0xfeff_f7fe, extended: 0x1f };
    for (const each of [greeting, { ...greeting, serverVersion: '5.5.5-10.11.6-MariaDB', capabilities: mariadb }]) {
      const payload = buildGreeting(each);
      const read = parseGreeting(payload);
      expect({ ...read, scramble: Buffer.from(read!.scramble) }).toEqual(each);
      const theirs = packets.Handshake.fromPacket(mysql2Packet(payload));
      expect(theirs).toMatchObject({
        serverVersion: each.serverVersion,
        connectionId: each.connectionId,
        capabilityFlags: each.capabilities.flags,
        mariadbExtendedCapabilityFlags: each.capabilities.extended,
        characterSet: 255,
        authPluginName: each.authPlugin,
      });
      everyPrefix(payload, parseGreeting);
    }
    expect([isMariaDb('8.0.36'), isMariaDb('5.5.5-10.11.6-MariaDB')]).toEqual([false, true]);
  });

  it('of a server that names no method', () => {
    const old = { ...greeting, capabilities: { flags: 0xf7ff, extended: 0 }, authPlugin: undefined };
    expect(parseGreeting(buildGreeting(old))).toMatchObject({
      authPlugin: undefined,
      scramble: Uint8Array.from(SCRAMBLE),
    });
  });

  it('is none', () => {
    for (const payload of [Buffer.from('SSH-2.0-OpenSSH'), Buffer.from([9, 0]), Buffer.from([255, 16, 4])]) {
      expect(parseGreeting(payload)).toBeUndefined();
    }
  });
});

describe('login', () => {
  it('is read as it was built, and as mysql2 reads it', () => {
    const payload = buildHandshakeResponse(login, SCRAMBLE);
    const read = loginOf(payload);
    expect(Buffer.from(buildHandshakeResponse(read, read.authResponse))).toEqual(Buffer.from(payload));
    expect(Buffer.from(read.database!).toString()).toBe('shop');
    expect(connectAttributes(read.attributes!)).toEqual([
      ['_name', 'abc'],
      ['prog', ''],
    ]);
    expect(packets.HandshakeResponse.fromPacket(mysql2Packet(payload))).toMatchObject({
      user: 'app',
      database: 'shop',
      authToken: SCRAMBLE,
      authPluginName: 'mysql_native_password',
      connectAttributes: { _name: 'abc', prog: '' },
      charsetNumber: 45,
    });
    everyPrefix(payload, parseClientHello);
  });

  it('owns its bytes', () => {
    const payload = Buffer.from(buildHandshakeResponse(login, SCRAMBLE));
    const read = loginOf(payload);
    payload.fill(0);
    expect([read.user, read.database!, read.authResponse].map((bytes) => Buffer.from(bytes).toString())).toEqual([
      'app',
      'shop',
      SCRAMBLE.toString(),
    ]);
    const more = Buffer.from(buildAuthMoreData(Buffer.from('key')));
    const said = parseAuthMessage(more);
    more.fill(0);
    expect(said).toEqual({ kind: 'more', data: Uint8Array.from(Buffer.from('key')) });
  });

  it('of mysql2, and of clients of other times', () => {
    const theirs = new packets.HandshakeResponse({
      ...{ flags: login.capabilities.flags, user: 'ann', database: 'crm', authToken: SCRAMBLE },
      ...{ authPluginName: 'caching_sha2_password', charsetNumber: 224, connectAttributes: { a: 'b' } },
    });
    const read = loginOf(theirs.toPacket().buffer.subarray(4));
    expect(read).toMatchObject({ charset: 224, authPlugin: 'caching_sha2_password' });
    expect([read.user, read.authResponse].map((bytes) => Buffer.from(bytes).toString())).toEqual([
      'ann',
      SCRAMBLE.toString(),
    ]);
    // One byte of length; a NUL at the end; a database that is announced, and missing.
    for (const flags of [CLIENT.PROTOCOL_41 | CLIENT.SECURE_CONNECTION, CLIENT.PROTOCOL_41]) {
      const old = { ...login, capabilities: { flags, extended: 0 } };
      expect(Buffer.from(loginOf(buildHandshakeResponse(old, SCRAMBLE)).authResponse)).toEqual(SCRAMBLE);
    }
    const flags = CLIENT.PROTOCOL_41 | CLIENT.SECURE_CONNECTION;
    const announced = buildHandshakeResponse({ ...login, capabilities: { flags, extended: 0 } }, SCRAMBLE).slice();
    announced[0]! |= CLIENT.CONNECT_WITH_DB;
    expect(loginOf(announced).database).toBeUndefined();
  });

  it('that asks for TLS, that of old clients, and what is none', () => {
    const flags = (login.capabilities.flags | CLIENT.SSL) >>> 0;
    // The beginning of a login, in the clear.
    const payload = buildHandshakeResponse({ ...login, capabilities: { flags, extended: 0 } }, SCRAMBLE).subarray(
      0,
      32,
    );
    expect(parseClientHello(payload)).toEqual({ kind: 'tls', capabilities: { flags, extended: 0 } });
    expect(parseClientHello(Buffer.from('\x05\x24\0\0\x01old\0hashhash', 'latin1'))).toEqual({ kind: 'old' });
    expect(parseClientHello(Buffer.from('GET / HTTP/1.1\r\n'))).toBeUndefined();
    expect(parseClientHello(new Uint8Array(0))).toBeUndefined();
  });

  it('what answers the challenge is nowhere to be seen', () => {
    const read = loginOf(buildHandshakeResponse(login, Buffer.from('secret answer')));
    const shown = inspect(read, { depth: 9, showHidden: true }) + JSON.stringify(read) + Object.keys(read).join();
    expect(shown).not.toContain('authResponse":');
    expect(shown).not.toContain(inspect(Buffer.from('secret')).slice(8, -1));
  });
});

describe('change of user', () => {
  const client = login.capabilities;
  const command: ChangeUserFields = {
    user: Buffer.from('ann'),
    database: Buffer.from('crm'),
    charset: 0x1e0,
    authPlugin: 'mysql_native_password',
    attributes: ATTRIBUTES,
  };

  it('is read as it was built', () => {
    const payload = buildChangeUser(command, client, SCRAMBLE);
    const read = parseChangeUser(payload, client)!;
    expect(Buffer.from(buildChangeUser(read, client, read.authResponse))).toEqual(Buffer.from(payload));
    expect(read).toMatchObject({ charset: 0x1e0, authPlugin: 'mysql_native_password' });
    expect(Buffer.from(read.authResponse)).toEqual(SCRAMBLE);
    everyPrefix(payload, (part) => parseChangeUser(part, client));
    expect(parseChangeUser(Buffer.from([3, 65]), client)).toBeUndefined();
  });

  it('of mysql2, and one that ends early', () => {
    const theirs = new packets.ChangeUser({
      ...{ flags: client.flags, user: 'ann', database: 'crm', password: 'x', charsetNumber: 45 },
      ...{
        authPluginData1: SCRAMBLE.subarray(0, 8),
        authPluginData2: SCRAMBLE.subarray(8),
        connectAttributes: { a: 'b' },
      },
    });
    const read = parseChangeUser(theirs.toPacket().buffer.subarray(4), client)!;
    expect(Buffer.from(read.database).toString()).toBe('crm');
    expect(connectAttributes(read.attributes!)).toEqual([['a', 'b']]);
    const short = buildChangeUser({ ...command, charset: undefined }, client, SCRAMBLE);
    expect(parseChangeUser(short, client)).toMatchObject({ charset: undefined, authPlugin: undefined });
  });
});

describe('what the server says in a login', () => {
  it('another method, more of this one, OK, ERR', () => {
    expect(parseAuthMessage(buildAuthSwitch('client_ed25519', Buffer.alloc(32, 7)))).toEqual({
      kind: 'switch',
      plugin: 'client_ed25519',
      scramble: new Uint8Array(32).fill(7),
    });
    expect(parseAuthMessage(Uint8Array.of(0xfe))).toMatchObject({ kind: 'switch', plugin: 'mysql_old_password' });
    expect(parseAuthMessage(buildAuthMoreData(Uint8Array.of(3)))).toEqual({ kind: 'more', data: Uint8Array.of(3) });
    const ok = { affectedRows: 0, lastInsertId: 0, status: 2, warnings: 1 };
    expect(parseAuthMessage(buildOk(ok))).toEqual({ kind: 'ok', ok });
    const err = { code: 1045, sqlState: '28000', message: 'Access denied' };
    expect(parseAuthMessage(buildErr(err))).toEqual({ kind: 'err', err });
    expect(parseAuthMessage(Uint8Array.of(7))).toBeUndefined();
    expect(parseAuthMessage(new Uint8Array(0))).toBeUndefined();
  });

  it('OK and ERR of any size', () => {
    for (const affectedRows of [0, 250, 251, 65_535, 65_536, 1 << 24, 2 ** 40]) {
      const ok = { affectedRows, lastInsertId: 2 ** 53, status: 0x4002, warnings: 65_535 };
      expect(parseOk(buildOk(ok))).toEqual(ok);
    }
    const early = { code: 1040, sqlState: undefined, message: 'Too many connections' };
    expect(parseErr(buildErr(early))).toEqual(early);
    everyPrefix(buildErr({ code: 1, sqlState: 'HY000', message: '' }), parseErr);
  });
});
