/**
 * Clients of MySQL as applications have them: a pool with prepared statements, transactions, and statements of text. What
 * they leave behind does not depend on who comes first: each round has rows of its own. Prints `ready` when all are logged in,
 * and goes on when the file `go` is there.
 */
import { existsSync } from 'node:fs';
import mysql, { type PoolConnection } from 'mysql2/promise';
import { sleep } from './shell.ts';

export interface MysqlLoadOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly users: number;
  readonly rounds: number;
  /** Between rounds, ms. */
  readonly pause: number;
  readonly go: string;
}

const options = JSON.parse(process.argv[2]!) as MysqlLoadOptions;
const { users, rounds, pause, go, ...login } = options;
const pool = mysql.createPool({ ...login, connectionLimit: users, multipleStatements: true });

async function round(connection: PoolConnection, user: number, n: number): Promise<void> {
  const id = user * 100_000 + n;
  const made = new Date(Date.UTC(2024, n % 12, 1 + (n % 28), n % 24));
  const row = [id, `row ${n} of ü${user}`, n / 4, n % 3 === 0 ? null : made, Buffer.from([0, n & 255, 255])];
  await connection.execute('insert into items (id, name, price, made, data) values (?, ?, ?, ?, ?)', row);
  await connection.beginTransaction();
  await connection.execute('update items set price = price + ? where id = ?', [1, id]);
  await connection.query(
    `insert into log (id, text) values (${id}, 'begun'); update log set text = 'done' where id = ${id}`,
  );
  if (n % 5 === 4) await connection.rollback();
  else await connection.commit();
  await connection.execute('select name, price, made from items where id = ?', [id]);
  await connection.query('select count(*) from items where id between ? and ?', [id, id + 1]);
}

async function work(user: number): Promise<void> {
  for (let n = 0; n < rounds; n++) {
    const connection = await pool.getConnection();
    try {
      await round(connection, user, n);
    } finally {
      connection.release();
    }
    await sleep(pause);
  }
}

const all = Array.from({ length: users }, (_, i) => i);
const connections = await Promise.all(all.map(() => pool.getConnection()));
for (const connection of connections) {
  await connection.query('set names utf8mb4');
  await connection.execute('select ? as early', [1]);
  connection.release();
}
process.stdout.write('ready\n');
while (!existsSync(go)) await sleep(10);
await Promise.all(all.map(work));
process.stdout.write('done\n');
await pool.end();
