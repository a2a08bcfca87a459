/** The plugin `mysql`: the protocol with its hooks, and what is not sent unless told otherwise. */
import {
  definePlugin,
  type EventHook,
  type ExchangeHook,
  type RequestContext,
  type RequestHook,
  type ResponseHook,
} from 'tcpcopy/plugin';
import type { MysqlCommand } from './command.ts';
import { MysqlCommandCodec } from './command-codec.ts';
import { ADMINISTRATION, REPLICATION } from './command-names.ts';
import { KNOWN_DIGESTS, MysqlConnection } from './connection.ts';
import { detect } from './detect.ts';
import { MysqlDialogue } from './dialogue.ts';
import { effectOf } from './effect.ts';
import { mysqlOptions, type MysqlOptions } from './options.ts';
import { MysqlReading } from './reading.ts';
import type { MysqlResponse } from './response.ts';
import { MysqlResponseReader } from './response-reader.ts';
import { mysqlSettings } from './settings.ts';
import { SqlAnalyzer, type ReadsOnly } from './sql/index.ts';
import { administration, loadsLocalFile } from './statements.ts';
import { readCredentials } from './users.ts';

declare module 'tcpcopy/plugin' {
  interface ProtocolHooks {
    readonly mysql: {
      readonly command: RequestHook<MysqlCommand>;
      readonly response: ResponseHook<MysqlResponse>;
      readonly exchange: ExchangeHook<MysqlCommand, MysqlResponse>;
      /** A connection that speaks MySQL. */
      readonly connection: EventHook<MysqlReading>;
    };
  }
}

const ENCRYPTED =
  'connections are encrypted, which nobody can copy: have clients connect without TLS (--ssl-mode=DISABLED), or copy ' +
  'behind a proxy that ends it; they are counted';

export const mysql = definePlugin({
  name: 'mysql',
  description: 'Reads MySQL and MariaDB: commands, which plugins can look at and change, and responses to look at.',
  options: mysqlOptions,
  examples: ['mysql,user=shadow,password=secret', 'mysql,users=mysql-users.txt,database=app'],
  failClosed: true,
  apply(hooks, options, env) {
    const settings = mysqlSettings({ commandLimit: options.commandLimit });
    const analyzer = new SqlAnalyzer({ capacity: KNOWN_DIGESTS, readsOnly: readsOnly(options.reads) });
    const credentials = readCredentials(options, env);
    const events = hooks.provide('mysql', {
      hooks: {
        command: {
          role: 'request',
          payload: 'MysqlCommand',
          moment: 'Once per command, login and file; at its beginning where it is too long to be held.',
          nothing: 'The command goes on as it is.',
        },
        response: {
          role: 'response',
          payload: 'MysqlResponse',
          moment: 'Once per response, behind its last row.',
          nothing: 'Later taps see the response as it is.',
        },
        exchange: {
          role: 'exchange',
          payload: 'ExchangeContext of MysqlCommand and MysqlResponse',
          moment: 'Once per command that was sent, when its response has come or will not.',
          nothing: 'As always.',
        },
        connection: {
          role: 'event',
          payload: 'MysqlReading',
          moment: 'Once per connection that turns out to speak MySQL, before it is read.',
          nothing: 'Schemas are called on the target as they are online.',
        },
      },
      detect,
      effect: effectOf,
      codec(info, fromBoundary) {
        const connection = MysqlConnection.of(info);
        connection.analyzer = analyzer;
        if (info.openedBy === 'midstream') connection.schema = options.database;
        events.connection(new MysqlReading(connection), info);
        return new MysqlCommandCodec(connection, info.openedBy === 'syn' && fromBoundary, settings, fromBoundary);
      },
      responses: (info, origin) =>
        new MysqlResponseReader(settings, { connection: MysqlConnection.of(info), online: origin === 'online' }),
      dialogue: (info) =>
        new MysqlDialogue({
          codec: settings,
          connection: MysqlConnection.of(info),
          credentials,
          database: options.database && MysqlConnection.of(info).nameOnTarget(options.database),
          localInfile: options.localInfile === 'pass',
        }),
      // What statements are called there is told by the answers.
      onlineResponses: true,
    });

    let told = false;
    hooks.mysql.command.tap({ name: 'mysql', phase: 'filter' }, (command, context) => {
      if (command.name === 'TLS' && !told) {
        told = true;
        env.log.warn(ENCRYPTED);
      }
      keepBack(command, context, options);
    });
    hooks.stats.tap('mysql', (context) => {
      const { commands, responses, streamed, resynchronised, compressed, tls, zstd, unparsable, unreadable } =
        settings.stats;
      context.figure('commands', commands);
      if (responses > 0) context.figure('responses', responses);
      context.figure('commands over the limit', streamed);
      context.figure('resynchronised', resynchronised);
      if (compressed > 0) context.figure('compressed connections', compressed);
      if (tls > 0) context.figure('encrypted connections', tls);
      if (zstd > 0) context.figure('connections compressed by zstd', zstd);
      unparsable.tell(context, 'unparsable');
      unreadable.tell(context, 'unreadable responses');
    });
  },
});

/** What is not sent, whoever else looks at it. */
function keepBack(command: MysqlCommand, context: RequestContext, options: MysqlOptions): void {
  const { name } = command;
  if (name === 'TLS') return context.dropConnection('encrypted');
  if (name === 'LOGIN' && command.connection.compression === 'zstd')
    return context.dropConnection('compressed by zstd');
  if (REPLICATION.includes(name)) return context.dropConnection('replication');
  const sql = name === 'QUERY' || name === 'STMT_PREPARE' ? (command.sql ?? '') : undefined;
  if (options.admin === 'drop') {
    const byText = sql === undefined ? undefined : administration(command);
    const why = ADMINISTRATION.includes(name) ? 'administration' : byText;
    if (why !== undefined) return context.drop(why);
  }
  if (options.localInfile === 'drop' && (name === 'LOCAL_DATA' || (sql !== undefined && loadsLocalFile(sql)))) {
    context.drop('LOAD DATA LOCAL');
  }
}

/** Names without their schema are told by their names alone. */
function readsOnly(patterns: MysqlOptions['reads']): ReadsOnly {
  return (schema, name) => {
    const lower = name.toLowerCase();
    const full = schema === undefined ? lower : `${schema.toLowerCase()}.${lower}`;
    return patterns.some((matches) => matches(lower) || matches(full));
  };
}
