/** What the hook `mysql.connection` shows: a connection that turned out to speak MySQL. */
import type { MysqlConnection } from './connection.ts';

export class MysqlReading {
  /** What is known of it, from now on until its end. */
  readonly connection: MysqlConnection;

  constructor(connection: MysqlConnection) {
    this.connection = connection;
  }
}
