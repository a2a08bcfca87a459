/** Conversations with a target that is made of packets. */
import { constants, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CLIENT } from '../../../../plugins/mysql/login/capabilities.ts';
import { parseChangeUser } from '../../../../plugins/mysql/login/change-user.ts';
import type { Greeting } from '../../../../plugins/mysql/login/greeting.ts';
import { parseClientHello, type HandshakeResponse } from '../../../../plugins/mysql/login/handshake-response.ts';
import { Login, type LoginRequest } from '../../../../plugins/mysql/login/login.ts';
import { cachingSha2Token, nativeToken } from '../../../../plugins/mysql/login/scramble.ts';
import { UserChange } from '../../../../plugins/mysql/login/user-change.ts';
import { Credentials } from '../../../../src/plugin/index.ts';
import {
  buildAuthMoreData,
  buildAuthSwitch,
  buildErr,
  buildGreeting,
  buildOk,
} from '../../../support/mysql-server-packets.ts';

const PASSWORD = 'hunter2';
const FIRST = Buffer.from('ABCDEFGHIJKLMNOPQRST');
const SECOND = Buffer.from('abcdefghijklmnopqrst');
const OK = buildOk({ affectedRows: 0, lastInsertId: 0, status: 2, warnings: 0 });
const MYSQL: Greeting = {
  serverVersion: '8.0.36',
  connectionId: 7,
  scramble: FIRST,
  capabilities: { flags: 0xdfffffff, extended: 0 },
  charset: 255,
  status: 2,
  authPlugin: 'caching_sha2_password',
};
const MARIADB: Greeting = {
  ...MYSQL,
  serverVersion: '5.5.5-10.11.6-MariaDB-1',
  capabilities: { flags: 0xfffffffe, extended: 0x1d },
  authPlugin: 'mysql_native_password',
};

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

function request(change: Partial<LoginRequest> = {}, password = PASSWORD): LoginRequest {
  return {
    credentials: new Credentials('shadow', password),
    client: {
      capabilities: { flags: 0x9bff_f7ff, extended: 0 },
      maxPacket: 1 << 24,
      charset: 255,
      attributes: undefined,
    },
    database: Buffer.from('shop'),
    ...change,
  };
}

/** Gives the login the target's packets in turn, and returns what it answers: sequence and payload. */
function converse(login: Login | UserChange, packets: readonly Uint8Array[], first = 0): [number, Buffer][] {
  const answers: [number, Buffer][] = [];
  let sequence = first;
  for (const payload of packets) {
    expect(login.over).toBe(false);
    const answer = login.handle(sequence, payload);
    sequence++;
    if (answer === undefined) continue;
    const bytes = Buffer.from(answer);
    expect(bytes.readUIntLE(0, 3)).toBe(bytes.length - 4);
    expect(bytes[3]).toBe(sequence);
    answers.push([sequence, bytes.subarray(4)]);
    sequence++;
  }
  // Whatever the method, the password itself is in nothing that goes out.
  for (const [, payload] of answers) expect(payload.includes(PASSWORD)).toBe(false);
  return answers;
}

function helloOf(answers: readonly [number, Buffer][]): HandshakeResponse {
  const hello = parseClientHello(answers[0]![1]);
  if (hello?.kind !== 'login') throw new Error('no login');
  return hello.response;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('login', () => {
  it('mysql_native_password', () => {
    const login = new Login(request());
    const hello = helloOf(converse(login, [buildGreeting({ ...MYSQL, authPlugin: 'mysql_native_password' }), OK]));
    expect([hello.user, hello.database!].map((bytes) => Buffer.from(bytes).toString())).toEqual(['shadow', 'shop']);
    expect(hello).toMatchObject({ authPlugin: 'mysql_native_password', charset: 255, maxPacket: 1 << 24 });
    expect(hex(hello.authResponse)).toBe(hex(nativeToken(Buffer.from(PASSWORD), FIRST)));
    expect(login.agreed).toMatchObject({
      serverVersion: '8.0.36',
      mariadb: false,
      connectionId: 7,
      status: 2,
      charset: 255,
    });
    expect(login.agreed?.capabilities).toEqual(hello.capabilities);
    expect(hello.capabilities.flags & (CLIENT.SSL | CLIENT.COMPRESS)).toBe(0);
  });

  it('caching_sha2_password with a password that the target knows', () => {
    const login = new Login(request());
    const answers = converse(login, [buildGreeting(MYSQL), buildAuthMoreData(Uint8Array.of(3)), OK]);
    expect(answers).toHaveLength(1);
    expect(hex(helloOf(answers).authResponse)).toBe(hex(cachingSha2Token(Buffer.from(PASSWORD), FIRST)));
    expect(login.agreed).toMatchObject({ authPlugin: 'caching_sha2_password' });
  });

  it('caching_sha2_password with one that it does not know: encrypted by its key', () => {
    const login = new Login(request());
    const key = buildAuthMoreData(Buffer.from(publicKey));
    const answers = converse(login, [buildGreeting(MYSQL), buildAuthMoreData(Uint8Array.of(4)), key, OK]);
    expect(answers.map(([sequence]) => sequence)).toEqual([1, 3, 5]);
    expect([...answers[1]![1]]).toEqual([2]);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const hidden = privateDecrypt({ key: privateKey, padding, oaepHash: 'sha1' }, answers[2]![1]);
    expect(Buffer.from(hidden.map((byte, i) => byte ^ FIRST[i % 20]!)).toString()).toBe(`${PASSWORD}\0`);
    expect(login.agreed).toBeDefined();
  });

  it.each([
    ['mysql_native_password', nativeToken],
    ['caching_sha2_password', cachingSha2Token],
  ] as const)('another method than the first: %s', (plugin, token) => {
    const offered = plugin === 'mysql_native_password' ? 'caching_sha2_password' : 'mysql_native_password';
    const login = new Login(request());
    const answers = converse(login, [
      buildGreeting({ ...MYSQL, authPlugin: offered }),
      buildAuthSwitch(plugin, SECOND),
      OK,
    ]);
    expect(answers.map(([sequence]) => sequence)).toEqual([1, 3]);
    expect(hex(answers[1]![1])).toBe(hex(token(Buffer.from(PASSWORD), SECOND)));
    expect(login.agreed).toMatchObject({ authPlugin: plugin });
    expect(hex(login.agreed!.scramble)).toBe(hex(SECOND));
  });

  it.each(['mysql_native_password', 'caching_sha2_password'])(
    'an empty password answers with nothing: %s',
    (plugin) => {
      const login = new Login(request({}, ''));
      const answers = converse(login, [
        buildGreeting({ ...MYSQL, authPlugin: plugin }),
        buildAuthSwitch(plugin, SECOND),
        OK,
      ]);
      expect([helloOf(answers).authResponse.length, answers[1]![1].length]).toEqual([0, 0]);
      expect(login.agreed).toBeDefined();
    },
  );

  it('MariaDB, whose own capabilities only its clients have; a server of old that names no method', () => {
    const mariadb = { ...request().client!, capabilities: { flags: 0x9bff_f7fe, extended: 0x1f } };
    const hello = helloOf(converse(new Login(request({ client: mariadb })), [buildGreeting(MARIADB), OK]));
    // utf8mb4_0900_ai_ci is not known there.
    expect(hello).toMatchObject({ capabilities: { extended: 0x1c }, charset: 45 });
    const old = {
      ...MYSQL,
      serverVersion: '5.1.73',
      capabilities: { flags: 0xf7ff, extended: 0 },
      authPlugin: undefined,
    };
    const login = new Login(request());
    expect(helloOf(converse(login, [buildGreeting(old), OK])).authPlugin).toBeUndefined();
    expect(login.agreed).toMatchObject({ authPlugin: 'mysql_native_password' });
  });

  it('of a connection that was open before, with and without a database', () => {
    const login = new Login(request({ client: undefined, database: undefined }));
    const hello = helloOf(converse(login, [buildGreeting(MYSQL), OK]));
    expect(hello).toMatchObject({ charset: 45, database: undefined });
    const expected = CLIENT.MULTI_STATEMENTS | CLIENT.MULTI_RESULTS | CLIENT.DEPRECATE_EOF;
    expect(hello.capabilities.flags & (expected | CLIENT.CONNECT_WITH_DB | CLIENT.QUERY_ATTRIBUTES)).toBe(expected);
    const named = helloOf(converse(new Login(request({ client: undefined })), [buildGreeting(MYSQL), OK]));
    expect(Buffer.from(named.database!).toString()).toBe('shop');
  });
});

describe('what ends it', () => {
  const fault = (packets: readonly Uint8Array[], change: Partial<LoginRequest> = {}): string | undefined => {
    const login = new Login(request(change));
    converse(login, packets);
    expect(login.agreed).toBeUndefined();
    return login.fault;
  };
  const err = (code: number): Uint8Array =>
    buildErr({ code, sqlState: '28000', message: `Access denied for user 'shadow' using ${PASSWORD}` });

  it.each([
    [1045, 'the target refused user or password'],
    [1049, 'the database does not exist on the target'],
    [4711, 'the target refused the login with error 4711'],
  ])('error %i', (code, words) => {
    expect(fault([buildGreeting(MYSQL), err(code)])).toBe(words);
    expect(fault([err(code)])).toBe(words);
  });

  it.each([
    ['mysql_clear_password', 'the target wants the password in clear text, which is never sent'],
    ['dialog', 'the target wants the password in clear text, which is never sent'],
    ['client_ed25519', 'the target asks for client_ed25519, which is not supported'],
    ['sha256_password', 'the target asks for sha256_password, which is not supported'],
    [`x${PASSWORD}`, 'the target asks for an authentication method that is not supported'],
  ])('%s', (plugin, words) => {
    expect(fault([buildGreeting(MYSQL), buildAuthSwitch(plugin, SECOND)])).toBe(words);
  });

  it('mysql_old_password; a method without end; a short challenge', () => {
    const old = 'the target asks for mysql_old_password, which is not supported';
    expect(fault([buildGreeting(MYSQL), Uint8Array.of(0xfe)])).toBe(old);
    const switches = Array.from({ length: 9 }, () => buildAuthSwitch('mysql_native_password', SECOND));
    expect(fault([buildGreeting(MYSQL), ...switches])).toBe(
      'the target asks for one authentication method after another',
    );
    const short = buildAuthSwitch('mysql_native_password', SECOND.subarray(1));
    expect(fault([buildGreeting(MYSQL), short])).toBe('the challenge of the target has a wrong length');
  });

  it('what is no greeting, and servers of long ago', () => {
    expect(fault([Buffer.from('SSH-2.0')])).toBe('the target does not greet as a MySQL server does');
    const ancient = { ...MYSQL, capabilities: { flags: 0x7fff & ~CLIENT.PROTOCOL_41, extended: 0 } };
    expect(fault([buildGreeting(ancient)])).toBe('the target is older than MySQL 4.1');
  });

  it('what is out of turn, and a key that is none', () => {
    const unexpected = 'the target says something unexpected in the login';
    const [known, unknown] = [buildAuthMoreData(Uint8Array.of(3)), buildAuthMoreData(Uint8Array.of(4))];
    const more = buildAuthMoreData(Buffer.from(publicKey));
    expect(fault([buildGreeting(MYSQL), more])).toBe(unexpected);
    expect(fault([buildGreeting(MYSQL), known, known])).toBe(unexpected);
    expect(fault([buildGreeting(MYSQL), unknown, more, more])).toBe(unexpected);
    expect(fault([buildGreeting({ ...MYSQL, authPlugin: 'mysql_native_password' }), known])).toBe(unexpected);
    const unusable = "the target's public key cannot be used";
    expect(fault([buildGreeting(MYSQL), unknown, buildAuthMoreData(Buffer.alloc(5000, 65))])).toBe(unusable);
    expect(fault([buildGreeting(MYSQL), unknown, known])).toBe(unusable);
    const unreadable = 'the target answers the login with something unreadable';
    expect(fault([buildGreeting(MYSQL), Uint8Array.of(9)])).toBe(unreadable);
  });
});

describe('change of user', () => {
  const session = (greeting: Greeting) => {
    const login = new Login(request());
    converse(login, [buildGreeting(greeting), OK]);
    return login.agreed!;
  };
  const NATIVE = { ...MARIADB, capabilities: MYSQL.capabilities };
  const command = { database: Buffer.from('crm'), charset: 255, authPlugin: 'x', attributes: undefined };
  const credentials = new Credentials('ann', PASSWORD);

  it('answers the challenge of the session, or that of another method', () => {
    const agreed = session(NATIVE);
    const change = new UserChange(agreed, command, credentials);
    const sent = Buffer.from(change.begin()!);
    expect(sent[3]).toBe(0);
    const read = parseChangeUser(sent.subarray(4), agreed.capabilities)!;
    expect([read.user, read.database].map((bytes) => Buffer.from(bytes).toString())).toEqual(['ann', 'crm']);
    expect(read).toMatchObject({ charset: 45, authPlugin: 'mysql_native_password' });
    expect(hex(read.authResponse)).toBe(hex(nativeToken(Buffer.from(PASSWORD), FIRST)));
    const answers = converse(change, [buildAuthSwitch('mysql_native_password', SECOND), OK], 1);
    expect(hex(answers[0]![1])).toBe(hex(nativeToken(Buffer.from(PASSWORD), SECOND)));
    expect(change.agreed).toMatchObject({ connectionId: 7, charset: 45, capabilities: agreed.capabilities });
    // The next change answers this challenge.
    expect(hex(change.agreed!.scramble)).toBe(hex(SECOND));
  });

  it('that is refused', () => {
    const change = new UserChange(session(NATIVE), command, credentials);
    change.begin();
    converse(change, [buildErr({ code: 1045, sqlState: '28000', message: 'no' })], 1);
    expect([change.fault, change.agreed]).toEqual(['the target refused user or password', undefined]);
  });

  it('names the charset of the session where the client named none', () => {
    const agreed = session(NATIVE);
    const change = new UserChange(agreed, { ...command, charset: undefined }, credentials);
    expect(parseChangeUser(change.begin()!.subarray(4), agreed.capabilities)).toMatchObject({ charset: 45 });
  });
});
