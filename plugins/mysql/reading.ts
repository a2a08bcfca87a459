/** What the hook `mysql.connection` shows: a connection that turned out to speak MySQL. */
import type { MysqlConnection } from './connection.ts';

export class MysqlReading {
  /** What is known of it, from now on until its end. */
  readonly connection: MysqlConnection;

  constructor(connection: MysqlConnection) {
    this.connection = connection;
  }

  /**
   * For plugins that give schemas other names in commands: so that logins which no client sent name them alike. What
   * returns nothing keeps its name.
   */
  renameSchemas(map: (schema: string) => string | undefined): void {
    const before = this.connection.nameOnTarget;
    this.connection.nameOnTarget = (schema) => {
      const name = before(schema);
      return map(name) ?? name;
    };
  }
}
