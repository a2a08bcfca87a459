/** Logins to a target whose users and passwords are others, by who the copies are to the target itself. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { makeMariaDbData, mariaDbObstacle } from '../support/mariadb.ts';
import { outputOf } from './lab/host.ts';
import type { Lab } from './lab/lab.ts';
import { ASSISTANT } from './lab/live-copy.ts';
import { MariaDbServer, MYSQL_PORT } from './lab/mariadb.ts';
import type { MysqlUser, MysqlUsersOptions } from './lab/mysql-users.ts';
import { HOSTS } from './lab/plan.ts';
import { startIntercept, startTcpcopy, stopTcpcopy, type RunningProgram } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { ownProgram } from './lab/servers.ts';
import { until } from './lab/shell.ts';

const WHO = 'create database shop; create database crm; create table shop.who (word text, user text, db text);';
/** Online: none of these is taken by the target. */
const APP: MysqlUser = { user: 'app', password: 'app online', database: 'shop' };
const OPEN: MysqlUser = { user: 'open', password: 'open online', database: 'crm' };
const KEY: MysqlUser = { user: 'keyed', password: 'key online', database: 'shop' };
const WRONG: MysqlUser = { user: 'wrong', password: 'wrong online' };
const NOT_DONE: MysqlUser = { user: 'signed', password: 'signed online' };

let template: string;

async function onlineServer(lab: Lab): Promise<MariaDbServer> {
  const server = await MariaDbServer.start(lab.host('online'), template);
  const users = [APP, OPEN, WRONG, NOT_DONE].map(
    ({ user, password }) => `create user ${user}@'%' identified by '${password}';`,
  );
  const all = [APP, OPEN, KEY, WRONG, NOT_DONE].map(({ user }) => `grant all on *.* to ${user}@'%';`);
  server.ask(
    `${WHO} ${users.join(' ')} create user keyed@'%' identified via ed25519 using password('${KEY.password}'); ${all.join(' ')}`,
  );
  return server;
}

/** Copies what the users do; the first of them is logged in before. */
async function copy(
  lab: Lab,
  plugin: string,
  users: string,
  load: Pick<MysqlUsersOptions, 'sessions' | 'prepared'>,
  arrived: () => boolean,
) {
  await startIntercept(lab.host('assistant'));
  const [online, client] = [lab.host('online'), lab.host('client')];
  writeFileSync(online.file('users'), users, { mode: 0o600 });
  const go = client.file('go');
  const options: MysqlUsersOptions = { host: online.on('front').v4, port: MYSQL_PORT, go, ...load };
  const clients = client.spawn('mysql-users', ownProgram('mysql-users.ts', options));
  const says = (word: string): Promise<unknown> =>
    until(
      () => `not ${word}:\n${outputOf(clients)}`,
      () => outputOf(clients).includes(word),
    );
  await says('ready');
  const target = `${MYSQL_PORT}-${HOSTS.test.back.v4}:${MYSQL_PORT}`;
  const tcpcopy: RunningProgram = await startTcpcopy(online, [
    ...['-x', target, '-s', ASSISTANT, '-c', '192.168.100.x', '-i', 'front'],
    ...['--plugin', `mysql,users=${online.file('users')},${plugin}`],
  ]);
  writeFileSync(go, '');
  // Others log in by this program alone.
  const keyed = `mariadb --no-defaults -h ${options.host} -u ${KEY.user} --password='${KEY.password}' ${KEY.database}`;
  client.sh(`${keyed} -e "insert into shop.who select 'keyed', current_user(), database()"`);
  await says('done');
  await until('the copies do not arrive', arrived).catch(() => undefined);
  const { summary, stopped } = await stopTcpcopy(tcpcopy);
  for (const { password } of load.sessions.flat()) if (password !== '') expect(stopped.output).not.toContain(password);
  return { summary, output: stopped.output };
}

const obstacle = mariaDbObstacle();
const withMariaDb = obstacle === undefined ? describeLab : describe.skip;

withMariaDb(`mysql logins${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`, () => {
  beforeAll(() => {
    template = makeMariaDbData(join(mkdtempSync(join(tmpdir(), 'tcpcopy-mysql-')), 'data'));
  });
  afterAll(() => rmSync(join(template, '..'), { recursive: true }));

  labTest('everybody is who the file of users says, from the login on and after each change', {}, async (lab) => {
    await onlineServer(lab);
    const test = await MariaDbServer.start(lab.host('test'), template);
    test.ask(`${WHO} create user shadow@'%' identified by 'pass word'; create user opened@'%';
      create user held@'%' identified via unix_socket or mysql_native_password using password('held test');
      create user wrong@'%' identified by 'another'; create user signed@'%' identified via ed25519 using password('signed test');
      grant all on *.* to shadow@'%'; grant all on *.* to opened@'%'; grant all on *.* to held@'%';`);
    const users = [
      ...['# users of the shop', 'app shadow "pass word"', 'open opened ""', 'keyed held "held test"'],
      ...['wrong wrong "wrong test"', 'signed signed "signed test"', '* opened ""', ''],
    ];
    const sessions = [[APP, OPEN, APP], [APP], [OPEN, APP], [WRONG], [NOT_DONE]];
    const rows = (): string[] => test.ask('select * from shop.who').split('\n');
    const { summary, output } = await copy(
      ...([lab, 'database=crm', users.join('\n'), { sessions, prepared: true }, () => rows().length >= 13] as const),
    );

    const twice = (row: string): string[] => [row, row];
    const expected = [
      // Whoever logged in before copying began is nobody in particular until he says who he is.
      ...['session 0 as app\topened@%\tcrm', 'session 0 as open\topened@%\tcrm', 'session 0 as app\tshadow@%\tshop'],
      ...['session 1 as app\tshadow@%\tshop', 'session 2 as open\topened@%\tcrm', 'session 2 as app\tshadow@%\tshop'],
    ];
    expect(rows().toSorted(), output).toEqual([...expected.flatMap(twice), 'keyed\theld@%\tshop'].toSorted());
    expect(output).toContain('the target refused user or password');
    expect(output).toContain('the target asks for client_ed25519, which is not supported');
    // Five requests of each of the two.
    const { buckets, lost } = summary.requests;
    expect([buckets['login-failed'], lost], output).toEqual([10, 10]);
    for (const secret of ['pass word', 'held test', 'wrong test', 'signed test']) expect(output).not.toContain(secret);
  });

  labTest('caching_sha2_password, in full and fast; users of whom nothing is known', {}, async (lab) => {
    await onlineServer(lab);
    const host = lab.host('test');
    const known = { shadow: 'pass word', opened: '' };
    const server = host.spawn('sha2-server', ownProgram('sha2-server.ts', { port: MYSQL_PORT, users: known }));
    await host.listening(MYSQL_PORT);
    const users = ['app shadow "pass word"', 'open opened ""', ''];
    const sessions = [[APP], [APP], [APP, OPEN, APP]];
    const done = (): boolean => outputOf(server).split('session 2').length > 3;
    const { summary, output } = await copy(
      ...([lab, 'database=shop', users.join('\n'), { sessions, prepared: false }, done] as const),
    );

    const logins = outputOf(server).match(/^\w+ as \w+$/gm) ?? [];
    expect([logins.length, logins[0], logins.at(-1)], output).toEqual([4, 'full as shadow', 'fast as shadow']);
    expect(logins).toContain('empty as opened');
    const said = outputOf(server).match(/(?<=')session \d as \w+(?=')/g);
    expect(said?.toSorted()).toEqual([
      ...['session 1 as app', 'session 2 as app', 'session 2 as app', 'session 2 as open'],
    ]);
    expect(output).toContain('no user on the target is given for it');
    expect(summary.requests.buckets['login-failed'], output).toBe(summary.requests.lost);
    expect(output).not.toContain('pass word');
  });
});
