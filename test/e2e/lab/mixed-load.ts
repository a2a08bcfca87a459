/**
 * Reads and writes over HTTP, MySQL and Redis at once, as many of one as of the other. The writes of each protocol are of
 * several kinds, plain to see and less so. Prints `done`.
 */
import { Agent, request } from 'node:http';
import mysql from 'mysql2/promise';
import { RedisClient } from '../../support/redis-client.ts';
import { SERVICE_PORT } from './plan.ts';

export interface MixedLoadOptions {
  readonly host: string;
  readonly mysql: { readonly port: number; readonly user: string; readonly password: string };
  readonly redis: { readonly port: number; readonly password: string };
  readonly rounds: number;
}

const options = JSON.parse(process.argv[2]!) as MixedLoadOptions;
const { host, rounds } = options;
const numbers = Array.from({ length: rounds }, (_, i) => i);

async function http(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (method: string, path: string, body = ''): Promise<void> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-length': String(Buffer.byteLength(body)), 'x-id': `${method}${path}` };
      const sent = request({ host, port: SERVICE_PORT, method, path, agent, headers }, (response) => {
        response.resume().on('end', resolve).on('error', reject);
      });
      sent.on('error', reject).end(body);
    });
  for (const n of numbers) {
    await ask('GET', `/1k?id=read-${n}`);
    await ask('POST', `/1k?id=post-${n}`, 'a body');
    await ask('HEAD', `/1k?id=head-${n}`);
    await ask('PUT', `/1k?id=put-${n}`, 'a body');
    await ask('DELETE', `/1k?id=delete-${n}`);
  }
  agent.destroy();
}

async function sql(): Promise<void> {
  const connection = await mysql.createConnection({
    host,
    ...options.mysql,
    database: 'shop',
    multipleStatements: true,
  });
  for (const n of numbers) {
    await connection.query(`select /* read ${n} */ count(*) from items`);
    await connection.query(`insert into items values (${n}, 'write')`);
    await connection.execute('select name from items where id = ?', [n]);
    await connection.execute('update items set name = ? where id = ?', [`write ${n}`, n]);
    await connection.query(`(select id from items limit 1); delete from items where id = ${n - 5}`);
    await connection.query(`with few as (select id from items limit 1) select * from few`);
    await connection.query(`/*! replace into items values (${n + 10_000}, 'write') */`);
    await connection.query(`call put_item(${n + 20_000})`);
    await connection.query('start transaction');
    await connection.query(`select name from items where id = ${n} for update`);
    await connection.query('commit');
  }
  await connection.query('create table more (id int)');
  await connection.end();
}

async function redis(): Promise<void> {
  const client = new RedisClient({ host, port: options.redis.port });
  await client.ask('AUTH', options.redis.password);
  for (const n of numbers) {
    await client.ask('GET', `key:${n}`);
    await client.ask('SET', `key:${n}`, 'write');
    await client.ask('LRANGE', 'list', '0', '-1');
    await client.ask('RPUSH', 'list', `write ${n}`);
    await client.ask('EVAL', `return redis.call('SET', KEYS[1], 'write')`, '1', `script:${n}`);
    await client.ask('MULTI');
    await client.ask('INCR', 'count');
    await client.ask('GET', 'count');
    await client.ask('EXEC');
  }
  client.close();
}

await Promise.all([http(), sql(), redis()]);
process.stdout.write('done\n');
