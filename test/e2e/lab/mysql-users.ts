/**
 * Users of MySQL who log in one after another, and become each other. Each leaves rows that say who it was to the server.
 * Prints `ready` when the first is logged in, and goes on when the file `go` is there.
 */
import { existsSync } from 'node:fs';
import mysql, { type Connection } from 'mysql2/promise';
import { sleep } from './shell.ts';

export interface MysqlUser {
  readonly user: string;
  readonly password: string;
  readonly database?: string;
}

export interface MysqlUsersOptions {
  readonly host: string;
  readonly port: number;
  /** Connections: who logs in, and whom that one becomes. The first is there before `go`. */
  readonly sessions: readonly (readonly MysqlUser[])[];
  /** With prepared statements, too. */
  readonly prepared: boolean;
  readonly go: string;
}

const { host, port, sessions, prepared, go } = JSON.parse(process.argv[2]!) as MysqlUsersOptions;

async function live(connection: Connection, session: number, users: readonly MysqlUser[]): Promise<void> {
  for (const [i, user] of users.entries()) {
    if (i > 0) await connection.changeUser(user);
    const word = `session ${session} as ${user.user}`;
    await connection.query(`insert into shop.who select '${word}', current_user(), database()`);
    if (prepared) await connection.execute('insert into shop.who select ?, current_user(), database()', [word]);
  }
  await connection.end();
}

const connected = (users: readonly MysqlUser[]): Promise<Connection> =>
  mysql.createConnection({ host, port, ...users[0]! });

const early = await connected(sessions[0]!);
process.stdout.write('ready\n');
while (!existsSync(go)) await sleep(10);
await live(early, 0, sessions[0]!);
for (const [i, users] of sessions.slice(1).entries()) await live(await connected(users), i + 1, users);
process.stdout.write('done\n');
