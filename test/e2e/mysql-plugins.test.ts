/** What plugins make of MySQL on its way between two real servers, by what the servers themselves say of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { makeMariaDbData, mariaDbObstacle } from '../support/mariadb.ts';
import { outputOf } from './lab/host.ts';
import type { Lab } from './lab/lab.ts';
import { ASSISTANT } from './lab/live-copy.ts';
import { MariaDbServer, MYSQL_PORT } from './lab/mariadb.ts';
import type { MysqlLoadOptions } from './lab/mysql-load.ts';
import { HOSTS } from './lab/plan.ts';
import { startIntercept, startTcpcopy, stopTcpcopy } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { ownProgram } from './lab/servers.ts';
import { until } from './lab/shell.ts';

const PASSWORD = { online: 'online-word', test: 'test-word' };
const TABLES = `
  create table items (id int primary key, name varchar(80), price decimal(10,2), made datetime, data blob);
  create table log (id int primary key, text varchar(80));
  create table notes (id int auto_increment primary key, text varchar(80));
  insert into items (id) values (7000001); insert into notes (text) values ('first');
  create procedure wipe() delete from notes;`;
const WRITES = /^(Query|Execute)\t(insert|update|delete|replace|create|drop|call|load)/i;

let template: string;

/** What mixed clients say by hand, of the schema that it names and of the current one. */
const BY_HAND = `
  insert into shop.notes (text) values ('shop.notes is a text'); select n.text from shop.notes n;
  prepare w from 'insert into shop.notes (text) values (?)'; set @a = 'by name'; execute w using @a;
  prepare r from 'select count(*) from notes'; execute r;
  start transaction; update notes set text = concat(text, '!') where id = 1; select * from notes for update; commit;
  insert into private.secrets values ('x'); call wipe(); insert into notes values (99, 'last');
  /*!50000 insert into notes values (100, 'versioned') */; set @b = 1; flush tables; select @b`;

async function servers(lab: Lab, schemaOnTest: string): Promise<readonly [online: MariaDbServer, test: MariaDbServer]> {
  const start = async (name: 'online' | 'test', schema: string, user: string): Promise<MariaDbServer> => {
    const server = await MariaDbServer.start(lab.host(name), template);
    server.ask(
      `create database ${schema}; create database private; create table private.secrets (a text); use ${schema}; ${TABLES}
       create user ${user}@'%' identified by '${PASSWORD[name]}'; grant all on *.* to ${user}@'%'`,
    );
    return server;
  };
  const [online, test] = await Promise.all([start('online', 'shop', 'app'), start('test', schemaOnTest, 'shadow')]);
  await startIntercept(lab.host('assistant'));
  return [online, test];
}

/** Copies what a pool with prepared statements and a client by hand say, until `arrived`. */
async function copied(lab: Lab, plugins: readonly string[], arrived: () => boolean) {
  const target = `${MYSQL_PORT}-${HOSTS.test.back.v4}:${MYSQL_PORT}`;
  const given = [`mysql,user=shadow,password=${PASSWORD.test}`, ...plugins].flatMap((plugin) => ['--plugin', plugin]);
  const flags = ['-x', target, '-s', ASSISTANT, '-c', '192.168.100.x', '-i', 'front'];
  const tcpcopy = await startTcpcopy(lab.host('online'), [...flags, ...given]);
  const client = lab.host('client');
  const address = lab.host('online').on('front').v4;
  const options: MysqlLoadOptions = {
    ...{ host: address, port: MYSQL_PORT, user: 'app', password: PASSWORD.online, database: 'shop' },
    ...{ users: 2, rounds: 10, pause: 0, go: client.file('go') },
  };
  writeFileSync(options.go, '');
  const pool = client.spawn('mysql-load', ownProgram('mysql-load.ts', options));
  client.sh(`mariadb -h${address} -uapp -p${PASSWORD.online} --skip-ssl shop -e ${JSON.stringify(BY_HAND)}`);
  await until(
    () => `the pool: ${outputOf(pool)}`,
    () => outputOf(pool).includes('done'),
  );
  await until('the copies do not arrive', arrived).catch(() => undefined);
  return stopTcpcopy(tcpcopy);
}

const checksums = (server: MariaDbServer, schema: string): string =>
  server.ask(`checksum table ${schema}.items, ${schema}.log, ${schema}.notes`).replaceAll(`${schema}.`, '');
const said = (server: MariaDbServer): readonly string[] => server.conversations().flat();

const obstacle = mariaDbObstacle();
const withMariaDb = obstacle === undefined ? describeLab : describe.skip;

withMariaDb(`plugins for mysql${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`, () => {
  beforeAll(() => {
    template = makeMariaDbData(join(mkdtempSync(join(tmpdir(), 'tcpcopy-mysql-')), 'data'));
  });
  afterAll(() => rmSync(join(template, '..'), { recursive: true }));

  labTest('another schema, and one that is left out', {}, async (lab) => {
    const [online, test] = await servers(lab, 'copy');
    const plugins = ['mysql-filter,denySchema=private,denyVerb=FLUSH', 'mysql-rewrite,schemas.shop=copy'];
    const same = (): boolean => checksums(test, 'copy') === checksums(online, 'shop');
    const { summary, stopped } = await copied(lab, plugins, same);

    expect(summary.requests.lost, stopped.output).toBe(0);
    expect(checksums(test, 'copy'), stopped.output).toBe(checksums(online, 'shop'));
    expect(online.ask('select count(*) from shop.notes')).toBe('2');
    expect(test.ask('select text from copy.notes where id = 100')).toBe('versioned');
    expect(said(test).some((line) => line.includes("values ('shop.notes is a text')"))).toBe(true);
    expect(online.ask('select count(*) from private.secrets')).toBe('1');
    expect(test.ask('select count(*) from private.secrets')).toBe('0');
    expect(said(test).filter((line) => /flush|private/.test(line))).toEqual([]);
    expect(summary.requests.buckets.filtered).toBe(2);
  });

  labTest('nothing that writes, and all that reads', {}, async (lab) => {
    const [online, test] = await servers(lab, 'shop');
    const before = checksums(test, 'shop');
    const reads = (server: MariaDbServer): readonly string[] =>
      said(server)
        .filter((line) => /^(Query|Execute)\tselect/i.test(line))
        .toSorted();
    const wanted = (): readonly string[] => reads(online);
    const { summary, stopped } = await copied(lab, ['writes=drop'], () => reads(test).length >= wanted().length);

    expect(summary.requests.lost, stopped.output).toBe(0);
    expect(checksums(test, 'shop')).toBe(before);
    expect(checksums(online, 'shop')).not.toBe(before);
    expect(said(online).filter((line) => WRITES.test(line)).length).toBeGreaterThan(60);
    expect(said(test).filter((line) => WRITES.test(line))).toEqual([]);
    // What reads is all there, in transactions and out of them, by prepared statements and by name.
    expect(reads(test)).toEqual(wanted());
    expect(said(test)).toContain('Query\tcommit');
    expect(said(test)).toContain('Query\texecute r');
  });
});
