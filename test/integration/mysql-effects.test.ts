/** Statements as a real MariaDB judges them that is read-only: what it refuses for that is never called a read. */
import mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { READS, OTHERS, WRITES, type Row } from '../plugins/mysql/sql/statements.ts';
import { askMariaDb, mariaDbFiles, mariaDbObstacle } from '../support/mariadb.ts';
import { MariaDbServer } from '../support/mariadb-server.ts';

/** ER_OPTION_PREVENTS_STATEMENT */
const READ_ONLY = 1290;
const PRIVILEGES =
  'select, insert, update, delete, create, drop, alter, execute, create routine, index, trigger, event, lock tables, ' +
  'create view, references, process, reload, create temporary tables';
const TABLES = ['a', 'b', 't']
  .map((name) => `create table shop.${name} (id int, a int, b int, x int, y int)`)
  .join(';');

/** It takes locks for changes, and makes none; or plans them, and makes none. */
const ONLY_LOOKS_SO = /FOR UPDATE$|^EXPLAIN FORMAT/;

const obstacle = mariaDbObstacle();

describe.skipIf(obstacle !== undefined)(
  `MariaDB, read-only${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`,
  () => {
    let server: MariaDbServer;

    beforeAll(async () => {
      server = await MariaDbServer.start(['--skip-networking']);
      askMariaDb(
        server.data,
        `create database shop; ${TABLES}; create user app@localhost; grant ${PRIVILEGES} on *.* to app@localhost;
       set global read_only = 1`,
      );
    });
    afterAll(() => server.stop());

    /** The number of the error, 0 for none; each in a session of its own, which it may change. */
    async function errorOf(text: string): Promise<number> {
      const socketPath = mariaDbFiles(server.data).socket;
      const connection = await mysql.createConnection({
        socketPath,
        user: 'app',
        database: 'shop',
        multipleStatements: true,
      });
      try {
        await connection.query(text);
        return 0;
      } catch (error) {
        return (error as { errno?: number }).errno ?? 0;
      } finally {
        connection.destroy();
      }
    }

    async function refused(rows: readonly Row[]): Promise<string[]> {
      const texts = rows.map(([text]) => text).filter((text) => text.trim() !== '' && !/OUTFILE|DUMPFILE/.test(text));
      const found: string[] = [];
      for (const text of texts) if ((await errorOf(text)) === READ_ONLY) found.push(text);
      return found;
    }

    it('refuses none that is said to read', async () => {
      const harmless = OTHERS.filter(([, effect]) => effect === 'session' || effect === 'transaction');
      expect((await refused([...READS, ...harmless])).filter((text) => !ONLY_LOOKS_SO.test(text))).toEqual([]);
    });

    it('and refuses those that write', async () => {
      expect((await refused(WRITES)).length).toBeGreaterThan(25);
    });
  },
);
