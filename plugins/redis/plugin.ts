/** The plugin that provides the protocol `redis`. */
import {
  CredentialMap,
  Credentials,
  definePlugin,
  type EventHook,
  type ExchangeHook,
  type PluginEnv,
  type RequestHook,
  type ResponseHook,
} from 'tcpcopy/plugin';
import type { RedisCommand } from './command.ts';
import { RedisCommandCodec } from './command-codec.ts';
import { DatabaseMap } from './database-map.ts';
import { RedisDialogue } from './dialogue.ts';
import { detect } from './detect.ts';
import { DEFAULT_USER, replaceLogin } from './login.ts';
import { redisOptions, type RedisOptions } from './options.ts';
import { KeyPrefix } from './prefix.ts';
import { RedisReading } from './reading.ts';
import type { RedisReply } from './reply.ts';
import { RedisReplyReader } from './reply-reader.ts';
import { redisSettings } from './settings.ts';

declare module 'tcpcopy/plugin' {
  interface ProtocolHooks {
    readonly redis: {
      readonly command: RequestHook<RedisCommand>;
      readonly reply: ResponseHook<RedisReply>;
      readonly exchange: ExchangeHook<RedisCommand, RedisReply>;
      /** How a connection is to be read. */
      readonly connection: EventHook<RedisReading>;
    };
  }
}

/** Protocols of bytes that nobody reads. */
const UNREAD: readonly string[] = ['opaque', 'unknown'];

export const redis = definePlugin({
  name: 'redis',
  description: 'Reads Redis: commands, which plugins can look at and change, and replies to look at.',
  options: redisOptions,
  examples: ['redis', 'redis,prefix=shadow:', 'redis,auth=redis-users.txt,databases.0=3'],
  failClosed: true,
  apply(hooks, options, env) {
    const settings = redisSettings(options);
    const prefix = options.prefix === undefined ? undefined : new KeyPrefix(options.prefix);
    const databases = readDatabases(options);
    const credentials = readCredentials(options, env);
    const toTarget = (database: number): number => databases?.targetOf(database) ?? database;
    const events = hooks.provide('redis', {
      hooks: {
        command: {
          role: 'request',
          payload: 'RedisCommand',
          moment: 'Once per command; at its beginning where it is too long to be held.',
          nothing: 'The command goes on as it is.',
        },
        reply: {
          role: 'response',
          payload: 'RedisReply',
          moment: 'Once per reply, and per push message, which answers no command.',
          nothing: 'Later taps see the reply as it is.',
        },
        exchange: {
          role: 'exchange',
          payload: 'ExchangeContext of RedisCommand and RedisReply',
          moment: 'Once per command that was sent, when its reply has come or will not.',
          nothing: 'As always.',
        },
        connection: {
          role: 'event',
          payload: 'RedisReading',
          moment: 'Once per connection that turns out to speak Redis, before it is read.',
          nothing: 'It is read as the options of `redis` say.',
        },
      },
      detect,
      effect: (command) => (command.spec === undefined ? 'unknown' : command.writes ? 'write' : 'read'),
      codec(info, fromBoundary) {
        const reading = new RedisReading();
        events.connection(reading, info);
        const strict = reading.strict || prefix !== undefined || options.unparsable === 'drop';
        const fromSyn = info.openedBy === 'syn' && fromBoundary;
        return new RedisCommandCodec(fromSyn, { ...settings, unparsable: strict ? 'drop' : 'raw' }, fromBoundary);
      },
      responses: () => new RedisReplyReader(settings),
      dialogue: (info) =>
        new RedisDialogue({
          codec: settings,
          login: credentials?.of(DEFAULT_USER),
          database: toTarget(info.openedBy === 'syn' ? 0 : options.database),
          zero: toTarget(0),
        }),
    });

    hooks.redis.command.tap({ name: 'redis:admin', phase: 'filter' }, (command, context) => {
      const kind = command.spec?.kind;
      if (kind === 'replication') return context.dropConnection('replication');
      const runsServer = kind === 'admin' || command.name === 'MIGRATE';
      return runsServer && options.admin === 'drop' ? context.drop('administration') : undefined;
    });
    hooks.redis.command.tap({ name: 'redis', phase: 'encode' }, (command, context) => {
      if (credentials !== undefined) replaceLogin(command, credentials);
      databases?.apply(command);
      const why = prefix?.apply(command);
      return why === undefined ? undefined : context.drop(why);
    });
    if (prefix !== undefined) {
      // Bytes that are not read may be commands all the same, and their keys would lack the prefix.
      hooks.request.tap({ name: 'redis:unread', phase: 'filter' }, (context) =>
        UNREAD.includes(context.protocol) ? context.drop('not read as Redis') : undefined,
      );
    }
    hooks.stats.tap('redis', (context) => {
      const { commands, replies, pushes, streamed, resynchronised, unparsable, unreadable } = settings.stats;
      context.figure('commands', commands);
      if (replies > 0) context.figure('replies', replies);
      if (pushes > 0) context.figure('messages nobody asked for', pushes);
      context.figure('commands over the limit', streamed);
      context.figure('resynchronised', resynchronised);
      unparsable.tell(context, 'unparsable');
      unreadable.tell(context, 'unreadable replies');
    });
  },
});

function readDatabases({ databases }: RedisOptions): DatabaseMap | undefined {
  const entries = Object.entries(databases).map(([online, target]) => [Number(online), target] as const);
  return entries.length === 0 ? undefined : new DatabaseMap(new Map(entries));
}

function readCredentials(
  { auth, user, password }: RedisOptions,
  env: Pick<PluginEnv, 'directory' | 'log'>,
): CredentialMap | undefined {
  if (password !== undefined) return CredentialMap.forAll(new Credentials(user ?? DEFAULT_USER, password));
  return auth === undefined ? undefined : CredentialMap.read('auth', auth, env);
}
