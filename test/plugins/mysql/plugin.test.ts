import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import mysql from '../../../plugins/mysql/index.ts';
import { CLIENT } from '../../../plugins/mysql/login/index.ts';
import { PluginRig, refusal } from '../plugin-rig.ts';
import { clientLogin, FLAGS, greeting, ok } from './servers.ts';
import { packet, query } from './transcript.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'tcpcopy-mysql-plugin-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const start = (options = '') => PluginRig.start([[mysql, `mysql${options}`]], { opaque: true });
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** A connection that is logged in on the target. */
async function loggedIn(options = ',user=shadow,password=secret') {
  const rig = await start(options);
  const connection = rig.connect();
  const login = connection.send(latin1(clientLogin()));
  connection.respond(latin1(greeting()));
  const sent = login + connection.sent().toString('latin1');
  connection.respond(latin1(ok(2)));
  return { rig, connection, sent };
}

describe('users', () => {
  it('one stands in for all', async () => {
    const { sent } = await loggedIn();
    expect(sent).toContain('shadow\0');
    expect(sent).not.toContain('app\0');
    expect(sent).not.toContain('secret');
  });

  it('of a file are looked up by the user online', async () => {
    const path = join(folder, 'users.txt');
    writeFileSync(path, '# online target password\napp app_test "a word"\n* guest ""\n');
    expect((await loggedIn(`,users=${path}`)).sent).toContain('app_test\0');
  });

  it('of a file that everybody can read are warned of', async () => {
    const path = join(folder, 'open.txt');
    writeFileSync(path, 'app app_test hunter2\n');
    const warnings = async (mode: number): Promise<readonly string[]> => {
      chmodSync(path, mode);
      return (await start(`,users=${path}`)).lines.filter((line) => line.includes('read the passwords'));
    };
    expect(await warnings(0o640)).toEqual([]);
    const [warning, ...more] = await warnings(0o644);
    expect([warning, more]).toEqual([expect.stringMatching(/^warn: .*users=.*chmod o-r/), []]);
    expect(warning).not.toContain('hunter2');
  });

  it('are called as online where none are given', async () => {
    expect((await loggedIn('')).sent).toContain('app\0');
  });

  it('that are not there, or not right, are refused without a secret', async () => {
    await expect(start(',users=/nowhere/users')).rejects.toThrow(/users=\/nowhere\/users: ENOENT/);
    expect(refusal(mysql, 'mysql,password=hunter2')).toMatch(/needs a user/);
    expect(refusal(mysql, 'mysql,user=u,password=hunter2,users=f')).not.toContain('hunter2');
  });
});

describe('what is kept back', () => {
  it.each([
    ['KILL 5', 'administration'],
    ['/* x */ set global general_log = 1', 'administration'],
    ['SET @@global.read_only = 1', 'administration'],
    ['START SLAVE', 'administration'],
    ['start all slaves', 'administration'],
    ['SET SESSION sort_buffer_size = 1, GLOBAL read_only = 1', 'administration'],
    ['select 1; shutdown', 'administration'],
    ['/*!50000 kill 5 */', 'administration'],
    ["prepare s from 'kill 5'", 'administration'],
    ["execute immediate 'shutdown'", 'administration'],
    ["set statement max_statement_time = 1 for execute immediate 'shutdown'", 'administration'],
    ['prepare s from @a', 'may be administration'],
    ['select 1; execute immediate @a', 'may be administration'],
    ['execute s using @a', 'may be administration'],
    ["load data local infile 'f' into table t", 'LOAD DATA LOCAL'],
  ])('%s', async (sql, why) => {
    const { connection } = await loggedIn();
    expect(connection.send(latin1(query(sql)))).toBe('');
    expect(connection.dropped).toEqual([why]);
    expect((await loggedIn(',user=u,admin=pass,localInfile=pass')).connection.send(latin1(query(sql)))).toBe(
      latin1(query(sql)),
    );
  });

  it.each([
    'select 1',
    'SET NAMES latin1',
    'set session sql_mode = 1',
    'begin',
    'start transaction',
    "insert into t values ('; kill 5')",
    'set @global = 1',
    'show global status',
    "prepare s from 'select ?'",
    "prepare s from 'select ?'; execute s using @a",
    "execute immediate 'insert into t values (''kill 5'')'",
    'deallocate prepare s',
    'grant execute on procedure p to u',
  ])('not %s', async (sql) => {
    const { connection } = await loggedIn();
    expect(connection.send(latin1(query(sql)))).toBe(latin1(query(sql)));
  });

  it('what carries out a statement that was prepared before', async () => {
    const { connection } = await loggedIn();
    const texts = ["prepare s from 'select 1'", 'execute s', "prepare s from 'kill 5'", 'execute S'];
    expect(texts.map((text) => connection.send(latin1(query(text))) !== '')).toEqual([true, true, false, false]);
    expect(connection.dropped).toEqual(['administration', 'administration']);
  });

  it('an encrypted connection, with one line about it', async () => {
    const rig = await start(',user=shadow');
    const wish = Buffer.alloc(32);
    wish.writeUInt32LE((FLAGS | CLIENT.SSL) >>> 0, 0);
    for (let n = 0; n < 2; n++) {
      const connection = rig.connect();
      expect(connection.send(latin1(packet(1, wish)) + '\x16\x03\x01 secret')).toBe('');
      expect(connection.dropped).toEqual(['encrypted']);
    }
    expect(rig.lines.filter((line) => line.includes('--ssl-mode=DISABLED'))).toHaveLength(1);
  });

  it('the connection of a replica', async () => {
    const { connection } = await loggedIn();
    expect(connection.send(latin1(packet(0, 0x12, [0, 0, 0, 0, 0, 0, 1, 0, 0, 0])) + latin1(query('select 1')))).toBe(
      '',
    );
    expect(connection.dropped[0]).toBe('replication');
    expect(connection.send(latin1(query('select 2')))).toBe('');
  });
});
