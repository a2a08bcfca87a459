/** MySQL copied live between two real servers with different passwords, by what the servers themselves say of it. */
import { writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
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
import { until, type Child } from './lab/shell.ts';

const PASSWORD = { online: 'online-word', test: 'test-word' };
const TABLES = ['items', 'log', 'typed'];
const SCHEMA = `
  create database shop; use shop;
  create table items (id int primary key, name varchar(80), price decimal(10,2), made datetime, data blob);
  create table log (id int primary key, text varchar(80));
  create table typed (id int primary key, text varchar(80));
  create table slap (id int, text varchar(128), key (id));`;

let template: string;

function arguments_(...plugins: readonly string[]): string[] {
  const target = `${MYSQL_PORT}-${HOSTS.test.back.v4}:${MYSQL_PORT}`;
  const given = plugins.flatMap((plugin) => ['--plugin', plugin]);
  return ['-x', target, '-s', ASSISTANT, '-c', '192.168.100.x', '-i', 'front', ...given];
}

/** Both servers with the same tables, and applications that are connected and wait for `go`. */
async function applications(lab: Lab, load: Partial<MysqlLoadOptions> = {}) {
  const servers = await Promise.all(
    (['online', 'test'] as const).map(async (name) => {
      const server = await MariaDbServer.start(lab.host(name), template);
      const user = name === 'online' ? 'app' : 'shadow';
      server.ask(
        `${SCHEMA} create user ${user}@'%' identified by '${PASSWORD[name]}'; grant all on *.* to ${user}@'%'`,
      );
      return server;
    }),
  );
  const [online, test] = servers as [MariaDbServer, MariaDbServer];
  await startIntercept(lab.host('assistant'));
  const client = lab.host('client');
  const go = client.file('go');
  const address = lab.host('online').on('front').v4;
  const options: MysqlLoadOptions = {
    ...{ host: address, port: MYSQL_PORT, user: 'app', password: PASSWORD.online, database: 'shop' },
    ...{ users: 4, rounds: 40, pause: 0, go, ...load },
  };
  const connect = async (): Promise<Child> => {
    const child = client.spawn('mysql-load', ownProgram('mysql-load.ts', options));
    await says(child, 'ready');
    return child;
  };
  const begin = (): void => writeFileSync(go, '');
  const login = `-h${address} -uapp -p${PASSWORD.online} --skip-ssl`;
  return { online, test, client, login, connect, begin };
}

async function says(child: Child, word: string): Promise<void> {
  await until(
    () => `the clients are not ${word}:\n${outputOf(child)}`,
    () => outputOf(child).includes(word),
  );
}

function checksums(server: MariaDbServer): string {
  return server.ask(`checksum table ${TABLES.map((table) => `shop.${table}`).join(', ')}`);
}

/** What each session said, in order, without who it is; sessions in an order of their own. */
function statements(server: MariaDbServer): string[] {
  return server
    .conversations()
    .map((said) => said.filter((line) => !line.startsWith('Connect\t')).join('\n'))
    .toSorted();
}

const obstacle = mariaDbObstacle();
const withMariaDb = obstacle === undefined ? describeLab : describe.skip;

withMariaDb(`mysql${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`, () => {
  beforeAll(() => {
    template = makeMariaDbData(join(mkdtempSync(join(tmpdir(), 'tcpcopy-mysql-')), 'data'));
  });
  afterAll(() => rmSync(join(template, '..'), { recursive: true }));

  labTest('the same rows, and the same statements in order in each session', {}, async (lab) => {
    const { online, test, client, login, connect, begin } = await applications(lab);
    const tcpcopy = await startTcpcopy(lab.host('online'), arguments_(`mysql,user=shadow,password=${PASSWORD.test}`));
    const pool = await connect();
    begin();
    client.sh(
      `mariadb ${login} -e "use shop; set names utf8mb4; insert into typed values (1, 'ü'), (2, 'b'); select * from typed where id < 3; \\
        set autocommit=0; update typed set text = 'c' where id = 2; rollback; select 1; select nothing from nowhere" || true`,
    );
    client.sh(
      `mariadb ${login} --compress shop -e "insert into typed values (3, 'compressed'); select * from typed where id = 3"`,
    );
    client.sh(
      `mysqlslap ${login} --silent --concurrency=4 --iterations=1 --number-of-queries=200 --create-schema=shop --no-drop ` +
        `--delimiter=';' --query="insert into slap values (1, 'slap'); select count(*) from slap where id = 1" >/dev/null`,
    );
    await says(pool, 'done');
    const same = (): boolean => statements(test).join('\n') === statements(online).join('\n');
    await until('the copies do not arrive', same).catch(() => undefined);
    const { summary, stopped } = await stopTcpcopy(tcpcopy);

    expect(summary.requests.lost, stopped.output).toBe(0);
    expect(statements(online).length).toBeGreaterThan(8);
    expect(statements(test)).toEqual(statements(online));
    expect(checksums(test)).toBe(checksums(online));
    expect(online.ask('select count(*) from shop.items')).toBe('160');
    expect(test.ask('select count(*) from shop.slap')).toBe(online.ask('select count(*) from shop.slap'));
    expect(stopped.output).not.toContain(PASSWORD.test);
  });

  labTest('copied from the middle of a pooled load on', {}, async (lab) => {
    // Long enough that on a busy machine, too, most of it comes when copying has begun.
    const rounds = 180;
    const most = 100;
    const { online, test, connect, begin } = await applications(lab, { rounds, pause: 20 });
    const pool = await connect();
    begin();
    await until('nothing runs', () => Number(online.ask('select count(*) from shop.log')) > 8);
    const plugin = `mysql,user=shadow,password=${PASSWORD.test},database=shop`;
    const tcpcopy = await startTcpcopy(lab.host('online'), arguments_(plugin));
    await says(pool, 'done');
    const last = 'select count(*) from shop.log where id % 100000 = ' + String(rounds - 2);
    await until('the copies do not arrive', () => test.ask(last) === '4').catch(() => undefined);
    const { summary, stopped } = await stopTcpcopy(tcpcopy);

    // Every statement of text from then on; those prepared before are known by their number only.
    const ends = statements(test).map((said) => said.split('\n'));
    const whole = statements(online).map((said) => said.split('\n').filter((line) => line.startsWith('Query\t')));
    for (const said of ends) {
      const texts = said.filter((line) => line.startsWith('Query\t'));
      expect(texts.length).toBeGreaterThan(most);
      expect(whole.some((all) => all.slice(-texts.length).join('\n') === texts.join('\n'))).toBe(true);
    }
    expect(ends.length).toBe(4);
    const { buckets, lost } = summary.requests;
    expect(buckets['not-replayable'], stopped.output).toBeGreaterThan(most);
    expect(stopped.output).toContain('its statement is not known');
    expect((buckets['not-replayable'] ?? 0) + (buckets['not-picked-up'] ?? 0)).toBe(lost);
    expect(buckets['not-picked-up'] ?? 0).toBeLessThanOrEqual(8);
  });

  labTest('sessions that the target closes', {}, async (lab) => {
    const rounds = 60;
    const { online, test, connect, begin } = await applications(lab, { rounds, pause: 20 });
    const tcpcopy = await startTcpcopy(lab.host('online'), arguments_(`mysql,user=shadow,password=${PASSWORD.test}`));
    const pool = await connect();
    begin();
    await until('nothing is copied', () => Number(test.ask('select count(*) from shop.items')) > 8);
    const killed = test.ask("select id from information_schema.processlist where user = 'shadow'").split('\n');
    for (const id of killed) test.ask(`kill ${id}`);
    await says(pool, 'done');
    const last = `select count(*) from shop.items where id % 100000 = ${rounds - 1}`;
    await until('the copies do not arrive', () => test.ask(last) === '4').catch(() => undefined);
    const { stopped } = await stopTcpcopy(tcpcopy);

    // Logged in, in its database and with its statements prepared anew: but for what was under way all of it is there.
    const rows = 'select count(*) from shop.items';
    expect(killed.length).toBe(4);
    expect(test.ask(last), stopped.output).toBe('4');
    expect(Number(test.ask(rows))).toBeGreaterThanOrEqual(Number(online.ask(rows)) - 4);
    expect(test.conversations().length).toBeGreaterThanOrEqual(8);
  });
});
