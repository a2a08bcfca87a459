import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import rewrite from '../../plugins/http-host-rewrite/index.ts';
import plugin from '../../plugins/log/index.ts';
import filter from '../../plugins/http-filter/index.ts';
import redis from '../../plugins/redis/index.ts';
import { MysqlClient } from './mysql/client.ts';
import { packet } from './mysql/transcript.ts';
import { PluginRig, refusal, request } from './plugin-rig.ts';
import { resp } from './redis/transcript.ts';

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

const CHUNKED = 'Transfer-Encoding: chunked';

const logged = async (text: string, ...messages: string[]): Promise<string[]> => {
  const rig = await PluginRig.start([[plugin, text]]);
  const connection = rig.connect();
  for (const message of messages) expect(connection.send(message)).toBe(message);
  return rig.lines;
};

describe('log', () => {
  it('writes a line for each request, without what may be secret', async () => {
    const post = `${request('POST /login?token=s3cret', 'Authorization: s3cret', 'Content-Length: 6')}s3cret`;
    const absolute = request('GET http://me:s3cret@shop/x#s3cret');
    expect(await logged('log', request('GET /1') + post, absolute)).toEqual([
      'info: plugin log: 192.0.2.1:40000 GET shop /1 0B',
      'info: plugin log: 192.0.2.1:40000 POST shop /login 6B',
      'info: plugin log: 192.0.2.1:40000 GET shop http://shop/x 0B',
    ]);
  });

  it('with the query and at the level that are asked for', async () => {
    expect(await logged('log=warn,query', request('GET /1?a=b'))).toEqual([
      'warn: plugin log: 192.0.2.1:40000 GET shop /1?a=b 0B',
    ]);
  });

  it('says what is sent, not what was captured', async () => {
    const rig = await PluginRig.start([
      [plugin, 'log'],
      [rewrite, 'http-host-rewrite=staging'],
      [filter, 'http-filter,denyPath=/no'],
    ]);
    rig.connect().send(request('GET /no') + request('GET /yes'));
    expect(rig.lines).toEqual(['info: plugin log: 192.0.2.1:40000 GET staging /yes 0B']);
  });

  it('keeps to a line, and to what a terminal shows', async () => {
    const [line] = await logged('log', request(`GET /${'a'.repeat(3_000)}`, 'Host: \xff\x9b31m'));
    expect(line).toMatch(/^info: plugin log: 192\.0\.2\.1:40000 GET \?\?31m \/a+… 0B$/);
    expect(line!.length).toBeLessThan(600);
  });

  it('is silent about other protocols, but where it is asked', async () => {
    expect(await logged('log', 'PING\r\n')).toEqual([]);
    expect(await logged('log,others', 'PING\r\n', 'QUIT\r\n')).toEqual([
      'info: plugin log: 192.0.2.1:40000 opaque 6B',
      'info: plugin log: 192.0.2.1:40000 opaque 6B',
    ]);
  });

  it('refuses wrong options', () => {
    expect(refusal(plugin, 'log=loud')).toContain('level=loud');
    expect(refusal(plugin, 'log,body')).toContain('no option body');
  });
});

describe('log, with responses', () => {
  it('writes what is known of the response, when it has ended', async () => {
    const rig = await PluginRig.start([[plugin, 'log,responses']]);
    const connection = rig.connect();
    connection.send(
      `${request('POST /1', 'Content-Length: 3')}abc${request('GET /2')}${request('PUT /3', CHUNKED)}0\r\n\r\n`,
    );
    expect(rig.lines).toEqual([]);
    await rig.pass(12.3);
    connection.respond('HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nabcde');
    await rig.pass(1_000);
    connection.respond(
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nabc',
    );
    connection.targetEnds();
    await rig.finish();
    expect(rig.lines).toEqual([
      'info: plugin log: 192.0.2.1:40000 POST shop /1 3B 201 5B 12.3ms',
      'info: plugin log: 192.0.2.1:40000 GET shop /2 0B 200 3B 1012.3ms',
      'info: plugin log: 192.0.2.1:40000 PUT shop /3 - - - -',
    ]);
  });
});

describe('log, of commands', () => {
  const startRedis = (text: string) =>
    PluginRig.start([
      [redis, 'redis'],
      [plugin, text],
    ]);

  it('names keys of Redis commands, and values where they are asked for', async () => {
    const send = (rig: PluginRig): void => {
      const connection = rig.connect();
      connection.send(resp('SET', 'user:1', 's3cret'));
      connection.send(resp('MGET', 'a', 'b', 'c', 'd', 'e'));
      connection.send(resp('AUTH', 's3cret'));
    };
    const plain = await startRedis('log');
    send(plain);
    expect(plain.lines).toEqual([
      'info: plugin log: 192.0.2.1:40000 redis/0 SET user:1 37B',
      'info: plugin log: 192.0.2.1:40000 redis/0 MGET a b c d … 49B',
      'info: plugin log: 192.0.2.1:40000 redis/0 AUTH 26B',
    ]);
    const full = await startRedis('log,query');
    send(full);
    expect(full.lines).toEqual([
      'info: plugin log: 192.0.2.1:40000 redis/0 SET user:1 s3cret 37B',
      'info: plugin log: 192.0.2.1:40000 redis/0 MGET a b c d e 49B',
      'info: plugin log: 192.0.2.1:40000 redis/0 AUTH *** 26B',
    ]);
  });

  it('and what was replied', async () => {
    const rig = await startRedis('log,responses');
    const connection = rig.connect();
    connection.send(resp('GET', 'a'));
    await rig.pass(2);
    connection.respond('$2\r\nhi\r\n');
    connection.send(resp('INCR', 'a'));
    connection.respond('-WRONGTYPE no s3cret\r\n');
    await rig.finish();
    expect(rig.lines).toEqual([
      'info: plugin log: 192.0.2.1:40000 redis/0 GET a 20B ok 8B 2.0ms',
      'info: plugin log: 192.0.2.1:40000 redis/0 INCR a 21B WRONGTYPE 22B 0.0ms',
    ]);
  });

  it('shows MySQL statements without their literals, and with them where that is asked for', async () => {
    const send = (client: MysqlClient): void => {
      client.query("SELECT a FROM t WHERE b = 's3cret' AND c IN (1, 2)");
      client.query("CREATE USER x IDENTIFIED BY 's3cret'");
      client.send(packet(0, 2, 'other'));
      client.send(packet(0, 0x0e));
    };
    const start = (text: string) => MysqlClient.start([[plugin, text]], { user: 'app', database: 'shop' });
    const plain = await start('log');
    send(plain);
    expect(plain.rig.lines.map((line) => line.replace(/[0-9a-f]{16}$/, 'DIGEST'))).toEqual([
      'info: plugin log: 192.0.2.1:40000 mysql/app@shop LOGIN shop -',
      'info: plugin log: 192.0.2.1:40000 mysql/app@shop QUERY SELECT a FROM t WHERE b = ? AND c IN (...) DIGEST',
      'info: plugin log: 192.0.2.1:40000 mysql/app@shop QUERY CREATE USER x IDENTIFIED BY ? DIGEST',
      'info: plugin log: 192.0.2.1:40000 mysql/app@shop INIT_DB other -',
      'info: plugin log: 192.0.2.1:40000 mysql/app@other PING -',
    ]);
    const full = await start('log,query');
    send(full);
    expect(full.rig.lines[1]).toContain("QUERY SELECT a FROM t WHERE b = 's3cret' AND c IN (1, 2) ");
    expect(full.rig.lines[2]).toContain("QUERY CREATE USER x IDENTIFIED BY '***' ");
  });
});

describe('log, to a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  const path = join(folder, 'requests.log');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gathers lines, with the time of capture, and begins a file that was moved away anew', async () => {
    const rig = await PluginRig.start([[plugin, `log,file=${path}`]]);
    const connection = rig.connect();
    connection.send(request('GET /1') + request('GET /2'));
    expect([rig.lines, readFileSync(path, 'utf8')]).toEqual([[], '']);
    const line = (n: number): RegExp => new RegExp(`^\\d+-\\d+-\\d+T.*Z 192.0.2.1:40000 GET shop /${n} 0B$`);
    await rig.pass(100);
    await until(() => readFileSync(path, 'utf8') !== '');
    const [first, second, rest] = readFileSync(path, 'utf8').split('\n');
    expect([first, second, rest]).toEqual([expect.stringMatching(line(1)), expect.stringMatching(line(2)), '']);
    renameSync(path, `${path}.1`);
    connection.send(request('GET /3'));
    await rig.finish();
    expect(readFileSync(path, 'utf8').trimEnd()).toMatch(line(3));
  });

  it('loses and counts what the disk does not take', async () => {
    const rig = await PluginRig.start([[plugin, `log,file=${join(folder, 'gone', 'x')}`]]).catch(
      (error: Error) => error,
    );
    expect((rig as Error).message).toContain(`${join(folder, 'gone', 'x')} cannot be written (ENOENT)`);
    const full = await PluginRig.start([[plugin, 'log,file=/dev/full']]);
    full.connect().send(request('GET /1') + request('GET /2'));
    await full.finish();
    expect(full.lines).toEqual([expect.stringContaining('/dev/full cannot be written (ENOSPC)')]);
    expect(full.figures('log')).toEqual({ 'lines lost': 2 });
  });

  it('writes no more than is asked for, and in the log no more than can be read', async () => {
    const rig = await PluginRig.start([[plugin, 'log']]);
    rig.connect().send(request('GET /').repeat(150));
    expect([rig.lines.length, rig.figures('log')]).toEqual([100, { 'lines left out': 50 }]);
    await rig.pass(1_000);
    rig.connect().send(request('GET /'));
    expect(rig.lines.length).toBe(101);
    const slow = await PluginRig.start([[plugin, 'log,rate=5']]);
    slow.connect().send(request('GET /').repeat(7));
    expect(slow.lines.length).toBe(5);
  });
});
