/** Logins to servers that are real, or somebody else's: MariaDB, mysql2's, and one of ours that mysql2's client accepts. */
import type { AddressInfo, createServer } from 'node:net';
import mysql2 from 'mysql2';
import mysql2Promise from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AgreedSession, LoginRequest } from '../../plugins/mysql/login/index.ts';
import { nativeToken } from '../../plugins/mysql/login/scramble.ts';
import { Credentials } from '../../src/plugin/index.ts';
import { CachingSha2Server } from '../support/caching-sha2-server.ts';
import { askMariaDb, mariaDbObstacle } from '../support/mariadb.ts';
import { MariaDbServer } from '../support/mariadb-server.ts';
import { MysqlSession } from '../support/mysql-session.ts';
import { until } from '../e2e/lab/shell.ts';

/** As much of a connection of mysql2's server as its types leave out. */
interface ServerConnection {
  on(event: 'error', listener: () => void): void;
  serverHandshake(options: object): void;
}

const PASSWORD = 'pässword of the test server';
const sessions: MysqlSession[] = [];

afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
});

function session(port: number): MysqlSession {
  sessions.push(new MysqlSession(port));
  return sessions.at(-1)!;
}

function as(user: string, password = PASSWORD, database?: string): LoginRequest {
  const credentials = new Credentials(user, password);
  return { credentials, client: undefined, database: database === undefined ? undefined : Buffer.from(database) };
}

function agreed(result: AgreedSession | string): AgreedSession {
  if (typeof result === 'string') throw new Error(result);
  return result;
}

describe('the server of mysql2', () => {
  it('mysql_native_password: user, database and answer are as it wants them', async () => {
    const server = mysql2.createServer(() => undefined);
    const seen: object[] = [];
    server.on('connection', (connection: ServerConnection) => {
      connection.on('error', () => undefined);
      connection.serverHandshake({
        ...{ protocolVersion: 10, serverVersion: '5.7.0', connectionId: 9, statusFlags: 2, characterSet: 33 },
        capabilityFlags: 0xfffff7df,
        authCallback: (params: Record<string, unknown>, callback: (error: unknown, mysqlError?: object) => void) => {
          const { user, database, authToken, authPluginData1: first, authPluginData2: second } = params;
          const token = nativeToken(Buffer.from(PASSWORD), Buffer.concat([first as Buffer, second as Buffer]));
          seen.push({ user, database });
          const right = Buffer.from(token).equals(authToken as Buffer);
          callback(null, right ? undefined : { message: 'no', code: 1045 });
        },
      });
    });
    server.listen(0);
    const port = await until('no port', () =>
      (server as unknown as { _server: ReturnType<typeof createServer> })._server.address(),
    );
    const at = (port as AddressInfo).port;
    expect(agreed(await session(at).login(as('shadow', PASSWORD, 'shop')))).toMatchObject({ connectionId: 9 });
    expect(await session(at).login(as('shadow', 'wrong'))).toBe('the target refused user or password');
    expect(seen).toEqual([
      { user: 'shadow', database: 'shop' },
      { user: 'shadow', database: undefined },
    ]);
    for (const each of sessions) each.close();
    await new Promise((resolve) => server.close(resolve as () => void));
  });
});

describe.each(['caching_sha2_password', 'mysql_native_password'])(
  'caching_sha2_password, greeted with %s',
  (greetsWith) => {
    let server: CachingSha2Server;
    beforeAll(async () => {
      const users = [['shadow', PASSWORD] as const, ['ann', 'another'] as const, ['open', ''] as const];
      server = await CachingSha2Server.start({ users: new Map(users), greetsWith });
    });
    afterAll(() => server.close());

    it('in full, then fast; empty; refused; a change of user', async () => {
      const first = session(server.port);
      const now = agreed(await first.login(as('shadow', PASSWORD, 'shop')));
      expect(now).toMatchObject({ authPlugin: 'caching_sha2_password' });
      agreed(await session(server.port).login(as('shadow')));
      agreed(await session(server.port).login(as('open', '')));
      expect(await session(server.port).login(as('shadow', 'wrong'))).toBe('the target refused user or password');
      const command = { database: new Uint8Array(0), charset: 45, authPlugin: undefined, attributes: undefined };
      const changed = agreed(await first.change(now, command, new Credentials('ann', 'another')));
      agreed(await first.change(changed, command, new Credentials('shadow', PASSWORD)));
      expect(server.logins.splice(0)).toEqual(['full', 'fast', 'empty', 'denied', 'full', 'fast']);
      expect(first.sent.includes('another') || first.sent.includes(PASSWORD)).toBe(false);
    });

    it('is what the client of mysql2 takes for such a server', async () => {
      const options = { host: '127.0.0.1', port: server.port, user: 'ann', password: 'another' };
      for (let n = 0; n < 2; n++) {
        const connection = await mysql2Promise.createConnection(options);
        await connection.ping();
        connection.destroy();
      }
      expect(server.logins.at(-1)).toBe('fast');
    });
  },
);

const obstacle = mariaDbObstacle();

describe.skipIf(obstacle !== undefined)(`MariaDB${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`, () => {
  let server: MariaDbServer;
  let port = 0;

  beforeAll(async () => {
    server = await MariaDbServer.start();
    port = server.port;
    askMariaDb(
      server.data,
      `create database shop; create database crm;
       create user shadow@'%' identified by '${PASSWORD}'; grant all on shop.* to shadow@'%';
       create user open@'%'; grant all on *.* to open@'%';
       create user ann@'%' identified by 'another'; grant all on crm.* to ann@'%';
       create user ed@'%' identified via ed25519 using password('secret');
       create user mixed@'%' identified via unix_socket or mysql_native_password using password('mixed');
       create user tls@'%' identified by 'x' require ssl;`,
    );
  });
  afterAll(() => server.stop());

  it('mysql_native_password, an empty password, a method that another one comes after', async () => {
    const first = session(port);
    const now = agreed(await first.login(as('shadow', PASSWORD, 'shop')));
    expect(now).toMatchObject({ mariadb: true, authPlugin: 'mysql_native_password' });
    expect(await first.ask('select concat(current_user(), database(), @@collation_connection)')).toBe(
      'shadow@%shoputf8mb4_general_ci',
    );
    expect(await first.ask('select connection_id()')).toBe(String(now.connectionId));
    for (const request of [as('open', ''), as('mixed', 'mixed')]) agreed(await session(port).login(request));
  });

  it('what is refused, by reason', async () => {
    const fault = (request: LoginRequest) => session(port).login(request);
    expect(await fault(as('shadow', 'wrong'))).toBe('the target refused user or password');
    expect(await fault(as('nobody'))).toBe('the target refused user or password');
    expect(await fault(as('open', '', 'nowhere'))).toBe('the database does not exist on the target');
    expect(await fault(as('shadow', PASSWORD, 'crm'))).toBe('the user has no right to the database on the target');
    expect(await fault(as('ed', 'secret'))).toBe('the target asks for client_ed25519, which is not supported');
    expect(await fault(as('tls', 'x'))).toBe('the target refused user or password');
  });

  it('change of user, there and back', async () => {
    const one = session(port);
    let now = agreed(await one.login(as('shadow', PASSWORD, 'shop')));
    const command = { charset: 8, authPlugin: 'mysql_native_password', attributes: undefined };
    for (const [user, password, database] of [
      ['ann', 'another', 'crm'],
      ['open', '', ''],
      ['shadow', PASSWORD, 'shop'],
    ] as const) {
      now = agreed(
        await one.change(now, { ...command, database: Buffer.from(database) }, new Credentials(user, password)),
      );
      expect(await one.ask(`select concat(current_user(), ifnull(database(), '-'), @@character_set_client)`)).toBe(
        `${user}@%${database || '-'}latin1`,
      );
    }
    const refused = { ...command, database: Buffer.from('crm') };
    expect(await one.change(now, refused, new Credentials('ann', 'wrong'))).toBe('the target refused user or password');
  });
});
