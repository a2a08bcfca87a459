// Invariant: whatever bytes come as packets of a login: what parses is built back into what parses to the same; a login ends
// with a session or a fault of constant words, sends packets that parse, and never the password; however a compressed stream
// is cut and damaged, it gives the same bytes, or the beginning of them and a failure, and holds no memory afterwards.
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseAuthMessage } from '../../plugins/mysql/login/auth-packets.ts';
import { buildChangeUser, parseChangeUser } from '../../plugins/mysql/login/change-user.ts';
import { parseGreeting } from '../../plugins/mysql/login/greeting.ts';
import { buildHandshakeResponse } from '../../plugins/mysql/login/handshake-response.ts';
import {
  connectAttributes,
  Decompressor,
  Login,
  parseClientHello,
  UserChange,
  type AgreedSession,
} from '../../plugins/mysql/login/index.ts';
import { CredentialMap, Credentials } from '../../src/plugin/index.ts';
import { pick, repeat, type Random } from '../support/codec-fuzzing.ts';
import { fuzzRuns } from '../support/fuzzing.ts';
import {
  buildAuthMoreData,
  buildAuthSwitch,
  buildErr,
  buildGreeting,
  buildOk,
} from '../support/mysql-server-packets.ts';

/** Inputs in all, in an ordinary run. */
const RUNS = 30_000;
const PASSWORD = 'hunter2 of the target';
const SCRAMBLE = Buffer.from('ABCDEFGHIJKLMNOPQRST');
const CAPABILITIES = { flags: 0xdfffffff, extended: 0 };
const OK = buildOk({ affectedRows: 0, lastInsertId: 0, status: 2, warnings: 0 });

const GREETINGS = ['8.0.36', '5.5.5-10.11.6-MariaDB'].flatMap((serverVersion) =>
  ['mysql_native_password', 'caching_sha2_password', 'client_ed25519', undefined].map((authPlugin) =>
    buildGreeting({
      ...{ serverVersion, connectionId: 7, scramble: SCRAMBLE, charset: 255, status: 2, authPlugin },
      capabilities: { flags: authPlugin === undefined ? 0xfff7ffff : 0xfffffffe, extended: 0x1f },
    }),
  ),
);
const SAID = [
  ...['mysql_native_password', 'caching_sha2_password', 'dialog'].map((plugin) => buildAuthSwitch(plugin, SCRAMBLE)),
  ...[Uint8Array.of(3), Uint8Array.of(4), Buffer.from('-----BEGIN PUBLIC KEY-----\n')].map(buildAuthMoreData),
  ...[OK, Uint8Array.of(0xfe), buildErr({ code: 1045, sqlState: '28000', message: 'Access denied' })],
];
const ATTRIBUTES = Buffer.from('\x05_name\x03abc\x04prog\x00', 'latin1');
const USER = { user: Buffer.from('app'), database: Buffer.from('shop'), charset: 45, attributes: ATTRIBUTES };
const LOGINS = [0xdffff7ff, 0xfffff7fe, 0x208, 0x8208].map((flags) =>
  buildHandshakeResponse(
    { ...USER, capabilities: { flags, extended: 3 }, maxPacket: 1 << 24, authPlugin: 'mysql_native_password' },
    SCRAMBLE,
  ),
);
const CHANGES = [
  buildChangeUser({ ...USER, authPlugin: 'mysql_native_password' }, CAPABILITIES, SCRAMBLE),
  buildChangeUser({ ...USER, charset: undefined }, CAPABILITIES, SCRAMBLE),
];

/** One of these, mostly with some bytes changed, left out or put in. */
function damaged(random: Random, from: readonly Uint8Array[]): Buffer {
  let bytes = Buffer.from(pick(random, from));
  for (let n = random() < 0.3 ? 0 : random() * 5; n > 1; n--) {
    const at = Math.floor(random() * (bytes.length + 1));
    const byte = Buffer.of(pick(random, [0, 1, 0xfa, 0xfc, 0xfe, 0xff, Math.floor(random() * 256)]));
    bytes = Buffer.concat([bytes.subarray(0, at), byte, bytes.subarray(at + Math.floor(random() * 3))]);
  }
  return random() < 0.1 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
}

function cutUp(random: Random, bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const most = random() < 0.2 ? 1 : 1 + random() * 100;
  for (let at = 0; at < bytes.length; at += chunks.at(-1)!.length) {
    chunks.push(bytes.subarray(at, at + Math.max(1, Math.floor(random() * most))));
  }
  return chunks;
}

describe('packets', { timeout: 3_600_000 }, () => {
  it('what parses is built back', () => {
    let parsed = 0;
    repeat(RUNS * 0.4, (random) => {
      const greeting = parseGreeting(damaged(random, GREETINGS));
      if (greeting !== undefined) {
        const again = parseGreeting(buildGreeting(greeting));
        // Without a method the challenge has a length of its own.
        if (greeting.scramble.length === 20) expect(again).toEqual(greeting);
        parsed++;
      }
      const hello = parseClientHello(damaged(random, LOGINS));
      if (hello?.kind === 'login') {
        const { response } = hello;
        const again = parseClientHello(buildHandshakeResponse(response, response.authResponse));
        // A login may leave out what its flags announce; built, it has all of it.
        if (again?.kind !== 'login') throw new Error('it does not parse');
        expect([again.response.user, again.response.authResponse]).toEqual([response.user, response.authResponse]);
        connectAttributes(response.attributes ?? new Uint8Array(0));
        parsed++;
      }
      const change = parseChangeUser(damaged(random, CHANGES), CAPABILITIES);
      if (change !== undefined) {
        const again = parseChangeUser(buildChangeUser(change, CAPABILITIES, change.authResponse), CAPABILITIES);
        expect([again?.user, again?.database, again?.charset]).toEqual([change.user, change.database, change.charset]);
        parsed++;
      }
      parseAuthMessage(damaged(random, SAID));
    });
    expect(parsed).toBeGreaterThan(fuzzRuns(RUNS * 0.4));
  });

  it('a login ends, and gives nothing away', () => {
    let done = 0;
    repeat(RUNS * 0.3, (random) => {
      const credentials = new Credentials('shadow', random() < 0.2 ? '' : PASSWORD);
      const hello = parseClientHello(damaged(random, LOGINS));
      const client = hello?.kind === 'login' ? hello.response : undefined;
      const login = new Login({ credentials, client, database: client?.database });
      converse(random, login, damaged(random, GREETINGS));
      if (login.agreed === undefined) return;
      done++;
      change(random, login.agreed, credentials);
    });
    expect(done).toBeGreaterThan(fuzzRuns(RUNS * 0.01));
  });

  function change(random: Random, session: AgreedSession, credentials: Credentials): void {
    const command = parseChangeUser(damaged(random, CHANGES), CAPABILITIES);
    if (command === undefined) return;
    const changing = new UserChange(session, command, credentials);
    const sent = changing.begin();
    expect(sent === undefined || parseChangeUser(sent.subarray(4), session.capabilities) !== undefined).toBe(true);
    if (!changing.over) converse(random, changing, damaged(random, SAID));
  }

  function converse(random: Random, exchange: Login | UserChange, first: Uint8Array): void {
    let payload = first;
    for (let sequence = 0; !exchange.over; sequence += 2) {
      if (sequence > 60) throw new Error('it does not end');
      const answer = exchange.handle(sequence, payload);
      if (answer !== undefined) {
        const bytes = Buffer.from(answer);
        if (bytes.readUIntLE(0, 3) !== bytes.length - 4 || bytes.includes(PASSWORD))
          throw new Error('it sends what it must not');
      }
      // Servers end sooner or later.
      payload = sequence > 40 ? OK : damaged(random, SAID);
    }
    if (exchange.fault !== undefined) expect(exchange.fault).toMatch(/^the [a-zA-Z0-9 _',.]+$/);
  }

  it('a file of users: refused by line, or read', () => {
    const words = ['app', '*', '"a b"', '""', '#', ' ', '\t', '\n', '"', '\\', '\\"', 'x', '\r\n', '\ufeff'];
    let read = 0;
    repeat(RUNS * 0.1, (random) => {
      const text = Array.from(
        { length: 1 + random() * 12 },
        () => pick(random, words) + (random() < 0.6 ? ' ' : ''),
      ).join('');
      try {
        CredentialMap.parse(text);
        read++;
      } catch (error) {
        expect((error as Error).message).toMatch(
          /^(line \d+(: this user has a line already| is not ONLINE-USER TARGET-USER PASSWORD)|it names no user)$/,
        );
      }
    });
    expect(read).toBeGreaterThan(fuzzRuns(RUNS * 0.002));
  });
});

describe('compressed sessions', { timeout: 3_600_000 }, () => {
  it('the same bytes, or the beginning of them', () => {
    let whole = 0;
    repeat(RUNS * 0.2, (random) => {
      const parts = Array.from({ length: 1 + random() * 4 }, () => Buffer.alloc(1 + random() * 300, `${random()} `));
      const frames = parts.map((part) => {
        const body = random() < 0.5 ? part : deflateSync(part);
        const header = Buffer.alloc(7);
        header.writeUIntLE(body.length, 0, 3);
        header.writeUIntLE(body === part ? 0 : part.length, 4, 3);
        return Buffer.concat([header, body]);
      });
      const bytes = random() < 0.5 ? Buffer.concat(frames) : damaged(random, [Buffer.concat(frames)]);
      const budget = { used: 0, limit: 4096 };
      const read = (chunks: readonly Uint8Array[]): string => {
        const reader = new Decompressor(budget, 2048);
        let plain = Buffer.alloc(0);
        for (const chunk of chunks) {
          reader.push(chunk, 0, chunk.length);
          for (let more = reader.next(); more !== undefined; more = reader.next()) plain = Buffer.concat([plain, more]);
        }
        if (reader.failure === undefined && reader.idle) whole++;
        reader.end();
        expect(budget.used).toBe(0);
        return `${plain.toString('latin1')} ${reader.failure}`;
      };
      expect(read(cutUp(random, bytes))).toBe(read([bytes]));
    });
    expect(whole).toBeGreaterThan(fuzzRuns(RUNS * 0.2));
  });
});
