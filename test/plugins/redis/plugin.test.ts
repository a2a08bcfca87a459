import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import redis from '../../../plugins/redis/index.ts';
import { PluginRig, refusal } from '../plugin-rig.ts';
import { resp } from './transcript.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'tcpcopy-redis-plugin-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const start = (options: string) => PluginRig.start([[redis, `redis${options}`]], { opaque: true });

/** What is sent of each command, words with spaces between; and why others are not. */
async function copied(options: string, ...commands: readonly string[]) {
  const connection = (await start(options)).connect();
  const sent = commands.map((command) => words(connection.send(resp(...command.split(' ')))));
  return { sent, dropped: connection.dropped };
}

function words(bytes: string): string {
  return bytes
    .split('\r\n')
    .filter((line) => line !== '' && !/^[*$]\d+$/.test(line))
    .join(' ');
}

describe('prefix', () => {
  it.each([
    ['GET k', 'GET p:k'],
    ['MSET a 1 b 2', 'MSET p:a 1 p:b 2'],
    ['EVAL script 2 a b c', 'EVAL script 2 p:a p:b c'],
    ['XREAD STREAMS a b 0 0', 'XREAD STREAMS p:a p:b 0 0'],
    ['SORT a BY w_* GET # GET o_*->f STORE d', 'SORT p:a BY p:w_* GET # GET p:o_*->f STORE p:d'],
    ['SORT a BY nosort', 'SORT p:a BY nosort'],
    ['KEYS user:*', 'KEYS p:user:*'],
    ['SCAN 0 MATCH user:* COUNT 10', 'SCAN 0 MATCH p:user:* COUNT 10'],
    ['SCAN 0', 'SCAN 0 MATCH p:*'],
    ['SCAN 0 match a:* MATCH b:*', 'SCAN 0 match p:a:* MATCH p:b:*'],
    ['GEORADIUS g 1 2 3 km STORE a STORE b', 'GEORADIUS p:g 1 2 3 km STORE p:a STORE p:b'],
    ['MULTI', 'MULTI'],
    ['WATCH k', 'WATCH p:k'],
    ['PUBLISH channel m', 'PUBLISH channel m'],
    ['SELECT 1', 'SELECT 1'],
  ])('%s', async (command, wanted) => {
    expect(await copied(',prefix=p:', command)).toEqual({ sent: [wanted], dropped: [] });
  });

  it('stands for itself in patterns', async () => {
    expect((await copied(',prefix=[a]*', 'KEYS x*', 'GET k')).sent).toEqual([String.raw`KEYS \[a\]\*x*`, 'GET [a]*k']);
  });

  it('keeps back what it cannot be put to', async () => {
    const { sent, dropped } = await copied(',prefix=p:', 'FLUSHALL', 'JSON.SET k . 1', 'GET', 'GET k');
    expect(sent).toEqual(['', '', '', 'GET p:k']);
    expect(dropped).toEqual(['not confined to the prefix', 'keys not known', 'keys not known']);
  });

  it('lets nothing else through', async () => {
    const rig = await start(',prefix=p:');
    const other = rig.connect();
    expect([other.send('hello\r\n'), other.dropped]).toEqual(['', ['not read as Redis']]);
    const broken = rig.connect();
    expect(broken.send(`${resp('GET', 'k')}*x\r\nSET a b\r\n`)).toBe(resp('GET', 'p:k'));
  });

  it('reaches keys in front of a value that streams past', async () => {
    const connection = (await start(',prefix=p:,commandLimit=1k')).connect();
    const value = 'v'.repeat(3000);
    const whole = resp('SET', 'k', value);
    expect(connection.send(whole.slice(0, 500)) + connection.send(whole.slice(500))).toBe(resp('SET', 'p:k', value));
    const many = resp('MSET', 'k', value, 'k2', 'v');
    expect([many.slice(0, 1500), many.slice(1500)].map((part) => connection.send(part))).toEqual(['', '']);
    expect(connection.dropped).toEqual(['too long for the prefix']);
  });
});

describe('databases', () => {
  it('are mapped where commands name them', async () => {
    const commands = ['SELECT 1', 'SELECT 2', 'MOVE k 1', 'SWAPDB 1 2', 'COPY a b DB 1 REPLACE', 'SELECT x'];
    expect((await copied(',databases.1=4', ...commands)).sent).toEqual([
      ...['SELECT 4', 'SELECT 2', 'MOVE k 4', 'SWAPDB 4 2', 'COPY a b DB 4 REPLACE', 'SELECT x'],
    ]);
  });

  it('are chosen for clients that choose none', async () => {
    const connection = (await start(',databases.0=3,password=word')).connect();
    expect(words(connection.send(resp('GET', 'k')))).toBe('AUTH word SELECT 3');
    connection.respond('+OK\r\n+OK\r\n');
    expect(words(connection.sent().toString('latin1'))).toBe('AUTH word SELECT 3 GET k');
    connection.respond('$-1\r\n');
    connection.targetEnds();
    expect(words(connection.send(resp('GET', 'l')))).toBe('AUTH word SELECT 3');
  });
});

describe('credentials', () => {
  it('of one user stand in for all', async () => {
    const { sent } = await copied(
      ',password=target',
      'AUTH online',
      'AUTH app online',
      'HELLO 3 AUTH app online SETNAME n',
    );
    expect(sent).toEqual(['AUTH target', 'AUTH target', 'HELLO 3 AUTH default target SETNAME n']);
    expect((await copied(',user=u,password=target', 'AUTH app online')).sent).toEqual(['AUTH u target']);
  });

  it('of a file are looked up by the user online', async () => {
    const path = join(folder, 'users.txt');
    writeFileSync(path, '# online target password\n\napp app-test s3cret\ndefault default word\n');
    const { sent } = await copied(
      `,auth=${path}`,
      'AUTH app x',
      'AUTH x',
      'AUTH other x',
      'HELLO 2',
      'HELLO 2 AUTH app x',
    );
    expect(sent).toEqual([
      'AUTH app-test s3cret',
      'AUTH word',
      'AUTH other x',
      'HELLO 2',
      'HELLO 2 AUTH app-test s3cret',
    ]);
  });

  it('of a file may be quoted, and everybody may not read them unnoticed', async () => {
    const path = join(folder, 'open.txt');
    writeFileSync(path, '* app "two words"\n');
    chmodSync(path, 0o644);
    const rig = await start(`,auth=${path}`);
    expect(words(rig.connect().send(resp('AUTH', 'x')))).toBe('AUTH app two words');
    expect(rig.lines.filter((line) => line.includes('read the passwords'))).toEqual([
      expect.stringMatching(/auth=.*chmod o-r/),
    ]);
  });

  it.each([
    ['app only-two\n', 'line 1 is not ONLINE-USER TARGET-USER PASSWORD'],
    ['a b c\na b d\n', 'line 2: this user has a line already'],
    ['# nobody\n', 'it names no user'],
  ])('a file of %j is refused without its text', async (text, message) => {
    const path = join(folder, 'wrong.txt');
    writeFileSync(path, text);
    await expect(start(`,auth=${path}`)).rejects.toThrow(message);
  });

  it('that are not there are refused', async () => {
    await expect(start(',auth=/nowhere/users')).rejects.toThrow(/auth=\/nowhere\/users: ENOENT/);
    expect(refusal(redis, 'redis,user=u')).toContain('needs a password');
    expect(refusal(redis, 'redis,auth=f,password=hunter2')).not.toContain('hunter2');
  });
});

it('administration stays here unless told otherwise, and replication always', async () => {
  const commands = [
    'CONFIG SET a b',
    'REPLICAOF h 1',
    'SHUTDOWN',
    'MIGRATE h 1 k 0 9',
    'SCRIPT LOAD s',
    'CONFIG GET a',
  ];
  expect((await copied('', ...commands)).sent).toEqual(['', '', '', '', 'SCRIPT LOAD s', 'CONFIG GET a']);
  expect((await copied(',admin=pass', ...commands)).sent).toEqual(commands);
  expect(await copied(',admin=pass', 'PING', 'PSYNC ? -1', 'PING')).toEqual({
    sent: ['PING', '', ''],
    dropped: ['replication'],
  });
});

it('tells its figures', async () => {
  const rig = await start('');
  rig.connect().send(resp('PING') + resp('PING') + '*x\r\n');
  expect(rig.figures('redis')).toMatchObject({ commands: 2, 'unparsable: invalid-count': 1 });
});
