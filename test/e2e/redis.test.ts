/** Redis copied live between two real servers with different passwords, by what the servers themselves say of it. */
import { writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { outputOf } from './lab/host.ts';
import type { Lab } from './lab/lab.ts';
import { ASSISTANT } from './lab/live-copy.ts';
import { HOSTS } from './lab/plan.ts';
import { startIntercept, startTcpcopy, stopTcpcopy } from './lab/programs.ts';
import { REDIS_PORT, redisObstacle, RedisServer } from './lab/redis.ts';
import type { RedisLoadOptions } from './lab/redis-load.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { ownProgram } from './lab/servers.ts';
import { sleep, until, type Child } from './lab/shell.ts';

const PASSWORD = { online: 'online-word', test: 'test-word' };
const DATABASE = 3;
const PREFIX = 'shadow:';

function arguments_(plugins: readonly string[]): string[] {
  const target = `${REDIS_PORT}-${HOSTS.test.back.v4}:${REDIS_PORT}`;
  const given = plugins.flatMap((plugin) => ['--plugin', plugin]);
  return ['-x', target, '-s', ASSISTANT, '-c', '192.168.100.x', '-i', 'front', ...given];
}

/** Both servers, and applications that are connected and wait for `go`. */
async function applications(lab: Lab, load: Partial<RedisLoadOptions> = {}) {
  const online = await RedisServer.start(lab.host('online'), PASSWORD.online);
  const test = await RedisServer.start(lab.host('test'), PASSWORD.test);
  await startIntercept(lab.host('assistant'));
  const client = lab.host('client');
  const go = client.file('go');
  const options: RedisLoadOptions = {
    ...{ host: lab.host('online').on('front').v4, port: REDIS_PORT, password: PASSWORD.online },
    ...{ database: DATABASE, users: 4, rounds: 50, pause: 0, go, ...load },
  };
  const connect = async (): Promise<Child> => {
    const child = client.spawn('redis-load', ownProgram('redis-load.ts', options));
    await says(child, 'ready');
    return child;
  };
  const begin = (): void => writeFileSync(go, '');
  const finish = async (child: Child): Promise<void> => {
    begin();
    await says(child, 'done');
  };
  return { online, test, connect, begin, finish };
}

async function says(child: Child, word: string): Promise<void> {
  await until(
    () => `the clients are not ${word}:\n${outputOf(child)}`,
    () => outputOf(child).includes(word),
  );
}

/** Lets a load do a little at a time until something is there: its end does not come before that, however long it takes. */
async function slowly<T>(load: Child, awaited: Promise<T>): Promise<T> {
  let there = false;
  const noted = awaited.finally(() => (there = true));
  // Whoever awaits it is told of a failure; here it only ends the waiting.
  noted.catch(() => undefined);
  while (!there) {
    load.kill('SIGSTOP');
    await sleep(100);
    load.kill('SIGCONT');
    await sleep(2);
  }
  return noted;
}

const withRedis = redisObstacle() === undefined ? describeLab : describe.skip;

withRedis(`redis${redisObstacle() === undefined ? '' : ` [skipped: ${redisObstacle()}]`}`, () => {
  labTest('the same data, and the same commands in order on each connection', {}, async (lab) => {
    const { online, test, connect, finish } = await applications(lab);
    const tcpcopy = await startTcpcopy(lab.host('online'), arguments_([`redis,password=${PASSWORD.test}`]));
    const clients = await connect();
    lab
      .host('client')
      .sh(
        `redis-benchmark -h ${lab.host('online').on('front').v4} -a ${PASSWORD.online} -q -P 16 -c 10 -n 3000 -r 500 ` +
          `-t set,get,incr,lpush,sadd,hset,mset >/dev/null 2>&1`,
      );
    await finish(clients);
    await until('the copies do not arrive', () => test.digest() === online.digest()).catch(() => undefined);
    const { summary, stopped } = await stopTcpcopy(tcpcopy);

    expect(summary.requests.lost, stopped.output).toBe(0);
    expect(online.cli('info keyspace')).toMatch(new RegExp(`db0:.*db${DATABASE}:`, 's'));
    expect(online.conversations().length).toBeGreaterThan(80);
    expect(test.cli('info keyspace')).toBe(online.cli('info keyspace'));
    expect(test.digest()).toBe(online.digest());
    expect(test.conversations()).toEqual(online.conversations());
    expect(stopped.output).not.toContain(PASSWORD.test);
    expect(stopped.output).not.toContain(PASSWORD.online);
  });

  labTest('copied from the middle of a load on, with a prefix', {}, async (lab) => {
    const rounds = 150;
    const { test, connect, begin, finish } = await applications(lab, { rounds, pause: 20 });
    const clients = await connect();
    begin();
    const plugin = `redis,password=${PASSWORD.test},database=${DATABASE},prefix=${PREFIX}`;
    const tcpcopy = await startTcpcopy(lab.host('online'), arguments_([plugin]));
    await finish(clients);
    const inDatabase = `-n ${DATABASE}`;
    const done = (): boolean => test.cli(`${inDatabase} lindex ${PREFIX}done:3 -1`) === `job ${rounds - 1}`;
    await until('the copies do not arrive', done).catch(() => undefined);
    const { stopped, summary } = await stopTcpcopy(tcpcopy);

    const keys = test.cli(`${inDatabase} --scan`).split('\n');
    expect(keys.filter((key) => !key.startsWith(PREFIX))).toEqual([]);
    // The load ends with these, long after the copy has begun.
    const last = ['subscriber', `typed ${rounds - 1}`, `typed ${rounds - 20}`, 'done:0', 'log:0', 'bits:0'];
    expect(
      last.filter((key) => !keys.includes(PREFIX + key)),
      stopped.output,
    ).toEqual([]);
    expect(test.cli(`${inDatabase} lindex ${PREFIX}log:2 -1`)).toBe(`round ${rounds - 1}`);
    expect(done()).toBe(true);
    expect(test.cli('info keyspace')).toMatch(new RegExp(`^# Keyspace\\s+db${DATABASE}:\\S+$`));
    // On each connection at most the command under way.
    expect(summary.requests.buckets['not-picked-up'] ?? 0).toBe(summary.requests.lost);
    expect(summary.requests.lost).toBeLessThanOrEqual(16);
  });

  labTest('copied from the middle of a pipelined load on', {}, async (lab) => {
    const connections = 8;
    const total = 16_000;
    const online = await RedisServer.start(lab.host('online'), PASSWORD.online);
    const test = await RedisServer.start(lab.host('test'), PASSWORD.test);
    await startIntercept(lab.host('assistant'));
    // Commands that a server works on for a while, so that there is a middle.
    const script = `for i = 1, 20000 do end return redis.call('RPUSH', KEYS[1], ARGV[1])`;
    const load = lab
      .host('client')
      .spawn('benchmark', [
        ...['redis-benchmark', '-h', lab.host('online').on('front').v4, '-a', PASSWORD.online, '-q'],
        ...[
          '-c',
          String(connections),
          '-P',
          '16',
          '-n',
          String(total),
          '-r',
          '100000',
          'EVAL',
          script,
          '1',
          'list:__rand_int__',
          'x',
        ],
      ]);
    await until('the load does not begin', () => online.calls('eval') > 0);
    const starting = startTcpcopy(lab.host('online'), arguments_([`redis,password=${PASSWORD.test}`]));
    const tcpcopy = await slowly(load, starting);
    await load.exited;
    await until('nothing is copied', () => test.calls('eval') > 0);
    let [seen, quiet] = [0, 0];
    await until('the copies do not end', () => {
      const calls = test.calls('eval');
      quiet = calls === seen ? quiet + 1 : 0;
      seen = calls;
      return quiet > 20;
    });
    const { summary, stopped } = await stopTcpcopy(tcpcopy);

    // From where each connection was picked up, between two pipelines, to its end.
    const whole = online.conversations();
    const copies = test.conversations();
    const ends = (copy: string): boolean => whole.some((commands) => commands.endsWith(copy));
    expect(copies.map(ends), stopped.output).toEqual(Array.from({ length: connections }, () => true));
    expect(whole).not.toEqual(copies);
    expect(summary.requests.buckets['not-picked-up'] ?? 0).toBe(summary.requests.lost);
    expect(summary.requests.lost).toBeLessThanOrEqual(connections * 16);
    expect(summary.requests.buckets['answered']).toBe(seen);
    expect(stopped.output).not.toContain(PASSWORD.test);
  });

  labTest('sessions that the target closes', {}, async (lab) => {
    const rounds = 60;
    const { test, connect, begin, finish } = await applications(lab, { rounds, pause: 20 });
    const tcpcopy = await startTcpcopy(lab.host('online'), arguments_([`redis,password=${PASSWORD.test}`]));
    const clients = await connect();
    begin();
    const copies = (): string[] => test.cli('client list').match(/(?<= addr=)192\.168\.100\.\S+/g) ?? [];
    await until('nothing is copied', () => Number(test.cli(`-n ${DATABASE} llen done:0`)) > 2);
    for (const address of copies()) test.cli(`client kill addr ${address} || true`);
    await finish(clients);
    const last = (): string => test.cli(`-n ${DATABASE} lindex log:0 -1`);
    await until('the copies do not arrive', () => last() === `round ${rounds - 1}`).catch(() => undefined);
    const { stopped } = await stopTcpcopy(tcpcopy);

    // Login and database are given to the fresh sessions: nothing lands elsewhere, and nothing is refused.
    expect(last(), stopped.output).toBe(`round ${rounds - 1}`);
    expect(test.cli('info keyspace')).toMatch(new RegExp(`^# Keyspace\\s+db${DATABASE}:\\S+$`));
    expect(test.cli('info errorstats')).not.toContain('NOAUTH');
    expect(test.cli(`-n ${DATABASE} --scan`).split('\n')).toContain(`typed ${rounds - 1}`);
    expect(test.conversations().length).toBeGreaterThan(16);
  });

  labTest('writes stay away', {}, async (lab) => {
    const { online, test, connect, finish } = await applications(lab);
    const plugins = [`redis,password=${PASSWORD.test}`, 'writes=drop'];
    const tcpcopy = await startTcpcopy(lab.host('online'), arguments_(plugins));
    const clients = await connect();
    await finish(clients);
    const { summary } = await stopTcpcopy(tcpcopy);
    expect(online.cli('info keyspace')).toContain(`db${DATABASE}`);
    expect(test.cli('info keyspace')).toBe('# Keyspace');
    expect(summary.requests.lost).toBe(0);
    expect(test.conversations().join('\n')).toMatch(/"SELECT" "3"[^]*"WATCH"/);
    expect(test.conversations().join('\n')).not.toMatch(/"(RPUSH|SET|BLPOP|EVAL|PUBLISH|INCRBY)"/i);
  });
});
