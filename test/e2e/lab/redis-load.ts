/**
 * Clients of Redis as applications have them: transactions, blocking pops, publish and subscribe, silence, lines of text.
 * What they leave behind does not depend on who comes first. Prints `ready` when all are logged in, and goes on when the file
 * `go` is there.
 */
import { existsSync } from 'node:fs';
import { RedisClient } from '../../support/redis-client.ts';
import { sleep } from './shell.ts';

export interface RedisLoadOptions {
  readonly host: string;
  readonly port: number;
  readonly password: string;
  readonly database: number;
  readonly users: number;
  readonly rounds: number;
  /** Between rounds, ms. */
  readonly pause: number;
  readonly go: string;
}

const options = JSON.parse(process.argv[2]!) as RedisLoadOptions;
const { users, rounds, pause } = options;

async function connected(login: readonly string[] = ['AUTH', options.password]): Promise<RedisClient> {
  const client = new RedisClient(options);
  await client.ask(...login);
  await client.ask('SELECT', String(options.database));
  return client;
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

async function transactions(client: RedisClient, user: number): Promise<void> {
  for (const round of numbers(rounds)) {
    await client.ask('WATCH', `account:${user}`);
    await client.ask('MULTI');
    client.send('INCRBY', `account:${user}`, String(round));
    client.send('RPUSH', `log:${user}`, `round ${round}`);
    client.send('EXEC');
    for (let n = 0; n < 3; n++) await client.next();
    await sleep(pause);
    await client.ask(
      'EVAL',
      'return redis.call("SETRANGE", KEYS[1], ARGV[1], "x")',
      '1',
      `bits:${user}`,
      String(round),
    );
  }
}

async function produce(client: RedisClient, user: number): Promise<void> {
  for (const round of numbers(rounds)) {
    await client.ask('RPUSH', `queue:${user}`, `job ${round}`);
    await sleep(pause);
  }
}

async function consume(client: RedisClient, user: number): Promise<void> {
  for (let n = 0; n < rounds; n++) {
    const [, job] = (await client.ask('BLPOP', `queue:${user}`, '0')) as string[];
    await client.ask('RPUSH', `done:${user}`, job!);
  }
}

async function publish(client: RedisClient): Promise<void> {
  for (const round of numbers(rounds)) {
    await client.ask('PUBLISH', 'news', `item ${round}`);
    await client.ask('SPUBLISH', 'shard', `piece ${round}`);
    await sleep(pause);
  }
}

async function subscribe(client: RedisClient): Promise<void> {
  for (let n = 0; n < 2 * rounds; n++) await client.next();
  client.send('UNSUBSCRIBE');
  for (let n = 0; n < 2; n++) await client.next();
  await client.ask('SUNSUBSCRIBE');
  await client.ask('SET', 'subscriber', 'gone');
  await client.ask('QUIT');
}

async function silent(client: RedisClient): Promise<void> {
  client.send('CLIENT', 'REPLY', 'OFF');
  for (const round of numbers(rounds)) client.send('SET', `silent:${round}`, 'x'.repeat(round));
  client.send('CLIENT', 'REPLY', 'ON');
  await client.next();
  await client.ask('SET', 'large', 'y'.repeat(3_000_000));
}

async function typed(client: RedisClient): Promise<void> {
  for (const round of numbers(rounds)) {
    client.write(`SET "typed ${round}" 'some text'\r\n`);
    await client.next();
    await sleep(pause);
  }
}

const logins = await Promise.all(
  numbers(users).map(async () => [await connected(), await connected(), await connected()] as const),
);
const subscriber = await connected(['HELLO', '3', 'AUTH', 'default', options.password]);
subscriber.send('SUBSCRIBE', 'news', 'other');
for (let n = 0; n < 2; n++) await subscriber.next();
await subscriber.ask('SSUBSCRIBE', 'shard');
const others = await Promise.all([connected(), connected(), connected()]);
console.log('ready');
while (!existsSync(options.go)) await sleep(20);
await Promise.all([
  ...logins.flatMap(([first, second, third], user) => [
    transactions(first, user),
    consume(second, user),
    produce(third, user),
  ]),
  subscribe(subscriber),
  publish(others[0]),
  silent(others[1]),
  typed(others[2]),
]);
console.log('done');
process.exit(0);
