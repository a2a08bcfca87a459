/** Writes stay away: HTTP, MySQL and Redis under one load, by what the servers themselves say they were asked. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { makeMariaDbData, mariaDbObstacle } from '../support/mariadb.ts';
import { outputOf } from './lab/host.ts';
import type { Lab } from './lab/lab.ts';
import { ASSISTANT } from './lab/live-copy.ts';
import { MariaDbServer, MYSQL_PORT } from './lab/mariadb.ts';
import type { MixedLoadOptions } from './lab/mixed-load.ts';
import { Nginx } from './lab/nginx.ts';
import { HOSTS, SERVICE_PORT } from './lab/plan.ts';
import { startIntercept, startTcpcopy, stopTcpcopy } from './lab/programs.ts';
import { REDIS_PORT, redisObstacle, RedisServer } from './lab/redis.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { ownProgram } from './lab/servers.ts';
import { until } from './lab/shell.ts';

const PASSWORD = 'of both';
const ROUNDS = 40;
const SCHEMA = `create database shop; use shop; create table items (id int primary key, name varchar(80));
  insert into items values (100000, 'before'); create procedure put_item(n int) insert into items values (n, 'write');
  create user app@'%' identified by '${PASSWORD}'; grant all on *.* to app@'%';`;

let template: string;

async function servers(lab: Lab, name: 'online' | 'test') {
  const host = lab.host(name);
  const [http, sql, redis] = await Promise.all([
    Nginx.start(host),
    MariaDbServer.start(host, template),
    RedisServer.start(host, PASSWORD),
  ]);
  sql.ask(SCHEMA);
  return { http, sql, redis };
}

type Servers = Awaited<ReturnType<typeof servers>>;

/** Statements that came over the network and match, whatever their connection. */
function statements({ sql }: Servers, pattern: RegExp): string[] {
  return sql
    .conversations()
    .flat()
    .filter((line) => pattern.test(line))
    .toSorted();
}

function commands({ redis }: Servers, pattern: RegExp): string[] {
  return redis
    .conversations()
    .flatMap((commands) => commands.split('\n'))
    .filter((line) => pattern.test(line))
    .toSorted();
}

const READS = /^(Query|Execute)\t(select|with|start|commit)/;
const obstacle = mariaDbObstacle() ?? redisObstacle();
const withServers = obstacle === undefined ? describeLab : describe.skip;

withServers(`writes${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`, () => {
  beforeAll(() => {
    template = makeMariaDbData(join(mkdtempSync(join(tmpdir(), 'tcpcopy-mysql-')), 'data'));
  });
  afterAll(() => rmSync(join(template, '..'), { recursive: true }));

  labTest('none of any protocol gets through, and every read does', {}, async (lab) => {
    const [online, test] = await Promise.all([servers(lab, 'online'), servers(lab, 'test')]);
    await startIntercept(lab.host('assistant'));
    const ports = [SERVICE_PORT, MYSQL_PORT, REDIS_PORT];
    const tcpcopy = await startTcpcopy(lab.host('online'), [
      ...['-x', ports.map((port) => `${port}-${HOSTS.test.back.v4}:${port}`).join()],
      ...['-s', ASSISTANT, '-c', '192.168.100.x', '-i', 'front', '--plugin', 'http', '--plugin', 'redis'],
      ...['--plugin', `mysql,user=app,password=${PASSWORD}`, '--plugin', 'writes=drop'],
    ]);
    const load: MixedLoadOptions = {
      host: lab.host('online').on('front').v4,
      mysql: { port: MYSQL_PORT, user: 'app', password: PASSWORD },
      redis: { port: REDIS_PORT, password: PASSWORD },
      rounds: ROUNDS,
    };
    const clients = lab.host('client').spawn('mixed-load', ownProgram('mixed-load.ts', load));
    await until(
      () => `the load does not end:\n${outputOf(clients)}`,
      () => outputOf(clients).includes('done'),
      30_000,
    );
    const arrived = (): boolean =>
      statements(test, READS).length === statements(online, READS).length &&
      test.http.records().length === 2 * ROUNDS &&
      commands(test, /EXEC/).length === ROUNDS;
    await until('the copies do not arrive', arrived).catch(() => undefined);
    const { summary, stopped } = await stopTcpcopy(tcpcopy);

    // HTTP: GET and HEAD alone.
    const ids = (nginx: Nginx): string[] => nginx.records().map(({ id }) => id);
    expect(ids(online.http)).toHaveLength(5 * ROUNDS);
    const reads = ids(online.http).filter((id) => /^(read|head)-/.test(id));
    expect(ids(test.http).toSorted(), stopped.output).toEqual(reads.toSorted());

    // MySQL: each text and each execution that reads, and nothing that is written.
    expect(statements(online, READS)).toHaveLength(6 * ROUNDS);
    expect(statements(test, READS)).toEqual(statements(online, READS));
    // What is prepared does nothing before it is executed.
    expect(statements(test, /^(Query|Execute)\t[^]*(insert|update items|delete|replace|call|create)/i)).toEqual([]);
    expect(test.sql.ask('select * from shop.items')).toBe('100000\tbefore');
    expect(test.sql.ask('show tables from shop')).toBe('items');
    expect(online.sql.ask('select count(*) > 30 from shop.items')).toBe('1');

    // Redis: what reads, and transactions without what they wrote.
    expect(test.redis.cli('info keyspace')).toBe('# Keyspace');
    expect(commands(test, /"(SET|RPUSH|EVAL|INCR)"/)).toEqual([]);
    const looks = /"(GET|LRANGE|MULTI|EXEC)"/;
    expect(commands(test, looks)).toEqual(commands(online, looks));
    expect(commands(test, looks)).toHaveLength(5 * ROUNDS);
    expect(summary.requests.lost, stopped.output).toBe(0);
  });
});
