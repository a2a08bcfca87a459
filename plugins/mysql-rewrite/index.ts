/** Gives schemas other names on the target, and changes statements. */
import { definePlugin, parseReplacement, z, type MysqlCommand, type Replace } from 'tcpcopy/plugin';

export default definePlugin({
  name: 'mysql-rewrite',
  description: 'Gives MySQL schemas other names, in statements and logins, and changes statements by pattern.',
  options: z
    .object({
      schemas: z
        .record(z.string().min(1), z.string().min(1))
        .default({})
        .describe('another name for a schema, as in schemas.shop=shop_copy'),
      sql: z
        .record(z.string().min(1), z.string())
        .default({})
        .transform((texts, context) =>
          Object.entries(texts).flatMap(([from, to]): Replace[] => {
            const found = parseReplacement(from, to, false);
            if (found !== undefined) return [found];
            context.addIssue({ code: 'custom', message: `'${from}' is no regular expression` });
            return [];
          }),
        )
        .describe('statements: FROM as in a text, or /regex/, what it matches becomes text with $1'),
    })
    .refine(({ schemas, sql }) => Object.keys(schemas).length + sql.length > 0, 'give schemas or sql'),
  protocol: 'mysql',
  phase: 'rewrite',
  failClosed: true,
  examples: [
    'mysql-rewrite,schemas.shop=shop_copy',
    'mysql-rewrite,sql./LIMIT [0-9]+$/=LIMIT 10,sql.old_table=new_table',
  ],
  apply(hooks, { schemas, sql }) {
    const names = new Map(Object.entries(schemas));
    const renamed = (schema: string): string | undefined => names.get(schema);

    hooks.mysql.connection.tap('mysql-rewrite', (reading) => reading.renameSchemas(renamed));
    hooks.mysql.command.tap('mysql-rewrite', (command, context) => {
      const { database } = command;
      const other = database === undefined ? undefined : renamed(database);
      if (other !== undefined) command.database = other;
      if (!hasText(command)) return undefined;
      // Its end, which is not here, may name what is to be left alone.
      if (!command.whole) return context.drop('longer than commandLimit');
      const text = command.sql!;
      const changed = sql.reduce((each, replace) => replace(each), text);
      if (changed !== text) command.sql = changed;
      if (names.size > 0) command.mapSchemas(renamed);
      return undefined;
    });
  },
});

function hasText({ name }: MysqlCommand): boolean {
  return name === 'QUERY' || name === 'STMT_PREPARE';
}
