/**
 * What the public types promise, checked by `npm run typecheck`: nothing here is run. What must not compile is marked, so
 * that compiling it is the failure.
 */
import { expectTypeOf } from 'vitest';
import {
  definePlugin,
  option,
  z,
  type ConnectionInfo,
  type Drop,
  type EventHook,
  type ExchangeContext,
  type PluginConnection,
  type RedisCommand,
  type RedisError,
  type RedisReading,
  type RedisReply,
  type RedisValue,
  type RequestContext,
  type RequestHook,
  type ResponseContext,
  type ResponseHook,
  type ResponseOrigin,
  type ResponseReader,
} from 'tcpcopy/plugin';

interface Command {
  verb: string;
}

declare module 'tcpcopy/plugin' {
  interface ProtocolHooks {
    readonly typetest: {
      readonly command: RequestHook<Command>;
      readonly reply: ResponseHook<{ readonly code: number }>;
      readonly upgrade: EventHook<{ readonly to: string }>;
    };
  }
}

/** Options, state and payloads are inferred. */
export function inference(): void {
  const { name, options } = definePlugin({
    name: 'typed',
    description: 'Checks types.',
    options: z.object({
      host: z.string(),
      tries: z.number().default(3),
      share: option.percent(),
      mode: z.enum(['a', 'b']).optional(),
    }),
    shorthand: 'host',
    state: () => ({ seen: 0 }),
    apply(hooks, options, env) {
      expectTypeOf(options).toEqualTypeOf<{
        host: string;
        tries: number;
        share: number;
        mode?: 'a' | 'b' | undefined;
      }>();
      expectTypeOf(env.seed).toEqualTypeOf<number | undefined>();
      hooks.request.tap('typed', (context) => {
        expectTypeOf(context).toEqualTypeOf<RequestContext<{ seen: number }>>();
        context.connection.state.seen++;
        return context.connection.state.seen > 10 ? context.drop('enough') : undefined;
      });
      hooks.request.tapPromise({ name: 'typed:later', deadline: 100, phase: 'decode' }, async (context) => {
        context.delay(1);
      });
      hooks.connection.tap('typed', (): Drop => ({ drop: 'no' }));
      hooks.session.tap('typed', (connection) => {
        expectTypeOf(connection).toEqualTypeOf<PluginConnection<{ seen: number }>>();
      });
      hooks.shutdown.tapPromise('typed', () => Promise.resolve());
      hooks.typetest.command.tap('typed', (command, context) => {
        expectTypeOf(command).toEqualTypeOf<Command>();
        expectTypeOf(context).toEqualTypeOf<RequestContext<{ seen: number }>>();
      });
      hooks.typetest.reply.tap('typed', (reply, context) => {
        expectTypeOf(reply.code).toBeNumber();
        expectTypeOf(context).toEqualTypeOf<ResponseContext<{ seen: number }>>();
      });
      hooks.typetest.upgrade.tap('typed', (upgrade, connection) => {
        expectTypeOf(upgrade.to).toBeString();
        expectTypeOf(connection.state.seen).toBeNumber();
      });
      hooks.whenProvided('typetest', (typetest) => typetest.command.tap('typed:maybe', () => undefined));
    },
  });
  expectTypeOf(name).toBeString();
  expectTypeOf(options!.parse({})).toHaveProperty('tries').toBeNumber();
}

/** A protocol is provided with exactly the hooks it declares, and given the means to call its events. */
export function protocols(): void {
  const { name } = definePlugin({
    name: 'typetest',
    description: 'Provides a protocol.',
    apply(hooks) {
      const row = { payload: 'Command', moment: 'Now.', nothing: 'Nothing.' };
      const events = hooks.provide('typetest', {
        hooks: {
          command: { ...row, role: 'request' },
          reply: { ...row, role: 'response' },
          upgrade: { ...row, role: 'event' },
        },
        effect: ({ verb }) => (verb === 'NOOP' ? 'read' : 'write'),
      });
      expectTypeOf(events).toHaveProperty('upgrade').toBeFunction();
      hooks.provide('typetest', {
        hooks: {
          command: { ...row, role: 'request' },
          reply: { ...row, role: 'response' },
          upgrade: { ...row, role: 'event' },
        },
        responses: (connection, origin) => {
          expectTypeOf(connection).toEqualTypeOf<ConnectionInfo>();
          expectTypeOf(origin).toEqualTypeOf<ResponseOrigin>();
          return {} as ResponseReader;
        },
        // @ts-expect-error -- a reader cannot speak
        dialogue: (_connection, _copy) => ({}) as ResponseReader,
      });
      expectTypeOf(events).not.toHaveProperty('command');
      hooks.provide('typetest', {
        hooks: {
          // @ts-expect-error -- a command is a request
          command: { ...row, role: 'event' },
          reply: { ...row, role: 'response' },
          upgrade: { ...row, role: 'event' },
        },
      });
    },
  });
  expectTypeOf(name).toBeString();
}

/** The hooks of Redis, which come with the package. */
export function redis(): void {
  definePlugin({
    name: 'typed-redis',
    description: 'Checks types.',
    protocol: 'redis',
    state: () => ({ seen: 0 }),
    apply(hooks) {
      hooks.redis.command.tap('typed-redis', (command, context) => {
        expectTypeOf(command).toEqualTypeOf<RedisCommand>();
        expectTypeOf(context).toEqualTypeOf<RequestContext<{ seen: number }>>();
        expectTypeOf(command.name).toBeString();
        expectTypeOf(command.writes).toBeBoolean();
        expectTypeOf(command.text(1)).toEqualTypeOf<string | undefined>();
        command.set(1, 'key');
        command.replace(['GET', Buffer.from('key')]);
        command.mapKeys((key) => Buffer.concat([Buffer.from('p:'), key]));
        // @ts-expect-error -- arguments are texts or bytes
        command.set(1, 5);
        // @ts-expect-error -- its name follows from its arguments
        command.name = 'SET';
        return command.writes ? context.drop('a write') : undefined;
      });
      hooks.redis.command.tapPromise({ name: 'typed-redis:later', deadline: 100 }, async () => undefined);
      hooks.redis.reply.tap('typed-redis', (reply, context) => {
        expectTypeOf(reply).toEqualTypeOf<RedisReply>();
        expectTypeOf(context).toEqualTypeOf<ResponseContext<{ seen: number }>>();
        expectTypeOf(reply.command).toEqualTypeOf<RedisCommand | undefined>();
        expectTypeOf(reply.value).toEqualTypeOf<RedisValue | undefined>();
        expectTypeOf(reply.error).toEqualTypeOf<RedisError | undefined>();
      });
      hooks.redis.exchange.tap('typed-redis', (exchange) => {
        expectTypeOf(exchange).toEqualTypeOf<ExchangeContext<{ seen: number }, RedisCommand, RedisReply>>();
      });
      hooks.redis.connection.tap('typed-redis', (reading) => {
        expectTypeOf(reading).toEqualTypeOf<RedisReading>();
        reading.refuseUnparsable();
      });
      expectTypeOf(hooks.redis).not.toHaveProperty('query');
    },
  });
}

/** What makes no sense does not compile. */
export function nonsense(): void {
  const base = { name: 'wrong', description: 'Does not compile.' };
  definePlugin({
    ...base,
    options: z.object({ host: z.string() }),
    // @ts-expect-error -- no such option
    shorthand: 'hots',
    apply: () => undefined,
  });
  definePlugin({
    ...base,
    apply(hooks, options) {
      expectTypeOf(options).toEqualTypeOf<Record<string, never>>();
      // @ts-expect-error -- a number is no verdict
      hooks.request.tap('wrong', () => 5);
      // @ts-expect-error -- a promise is no verdict of a synchronous tap
      hooks.request.tap('wrong', async () => undefined);
      // @ts-expect-error -- an observer has no verdict
      hooks.session.tap('wrong', () => ({ drop: 'too late' }));
      // @ts-expect-error -- no such phase
      hooks.request.tap({ name: 'wrong', phase: 'afterwards' }, () => undefined);
      // Connections are not waited for; a hook, a protocol or a protocol's hook that nobody declared is none.
      expectTypeOf(hooks.connection).not.toHaveProperty('tapPromise');
      expectTypeOf(hooks).not.toHaveProperty('requets');
      expectTypeOf(hooks).not.toHaveProperty('gopher');
      expectTypeOf(hooks.typetest).not.toHaveProperty('query');
    },
  });
  // @ts-expect-error -- a description is not optional
  definePlugin({ name: 'wrong', apply: () => undefined });
}
