/** Writes one line for each request that is sent, with its response where that is asked for. */
import {
  type AnyState,
  definePlugin,
  type Duration,
  type Endpoint,
  type ExchangeContext,
  formatEndpoint,
  option,
  z,
  type Instant,
  type PluginEnv,
  type RequestContext,
  type TapPoint,
} from 'tcpcopy/plugin';
import { mysqlFields, mysqlResponseFields, redisFields, redisReplyFields } from './commands.ts';
import { requestFields, responseFields } from './line.ts';
import { LineFile } from './line-file.ts';

/** As many lines a second as a log can take that is read by people, and that a busy server shares. */
const LOG_RATE = 100;
const SECOND = 1e6;

export default definePlugin({
  name: 'log',
  description: 'Writes one line for each request that is sent.',
  options: z.object({
    level: z.enum(['debug', 'info', 'warn']).default('info').describe('as what the lines are logged'),
    file: z.string().min(1).optional().describe('write them to this file instead, with the time of capture'),
    responses: z.boolean().default(false).describe("with status, size and time of the target's response"),
    query: z
      .boolean()
      .default(false)
      .describe('with the query of HTTP requests, and the values in commands, which may be secret'),
    others: z.boolean().default(false).describe('also what no plugin can read, with its length only'),
    rate: option
      .rate()
      .optional()
      .describe('at most so many lines, others are counted; 100/s where they are logged, no limit for a file'),
  }),
  shorthand: 'level',
  protocol: 'http',
  phase: 'observe',
  examples: ['log', 'log,responses', 'log,file=requests.log,query', 'log=debug,others'],
  apply(hooks, { level, file: path, responses, query, others, rate }, env) {
    const file = path === undefined ? undefined : new LineFile(path, env);
    const hasRoom = limiter(rate ?? (file === undefined ? LOG_RATE : Infinity), env);
    let leftOut = 0;
    const write = (time: Instant | undefined, line: string): void => {
      if (!hasRoom()) leftOut++;
      else if (file === undefined) env.log[level](line);
      else file.add(`${time === undefined ? '-' : new Date(time / 1_000).toISOString()} ${line}`);
    };

    const times = new WeakMap<object, Instant>();
    /** Taps what one protocol has: a line when a message is sent, or when its exchange is over. */
    const logs = <Message extends object, Answer>(
      messages: TapPoint<[message: Message, context: RequestContext]>,
      exchanges: TapPoint<[exchange: ExchangeContext<AnyState, Message, Answer>]>,
      fieldsOf: (message: Message, client: Endpoint, whole: boolean) => string,
      answerOf: (answer: Answer | undefined, time: Duration | undefined) => string,
    ): void => {
      messages.tap('log', (message, { connection, piece }) => {
        if (responses) times.set(message, piece.time);
        else write(piece.time, fieldsOf(message, connection.client, query));
      });
      if (!responses) return;
      exchanges.tap('log', ({ request, connection, target, targetTime }) => {
        write(times.get(request), `${fieldsOf(request, connection.client, query)} ${answerOf(target, targetTime)}`);
      });
    };
    logs(hooks.http.request, hooks.http.exchange, requestFields, responseFields);
    hooks.whenProvided('redis', ({ command, exchange }) => logs(command, exchange, redisFields, redisReplyFields));
    hooks.whenProvided('mysql', ({ command, exchange }) => logs(command, exchange, mysqlFields, mysqlResponseFields));
    if (others) {
      hooks.request.tap('log:others', ({ message, connection, protocol, piece }) => {
        if (message === undefined)
          write(piece.time, `${formatEndpoint(connection.client)} ${protocol} ${piece.length}B`);
      });
    }
    hooks.stats.tap('log', (context) => {
      if (leftOut > 0) context.figure('lines left out', leftOut);
      if (file !== undefined && file.lost > 0) context.figure('lines lost', file.lost);
    });
    if (file !== undefined) hooks.shutdown.tapPromise('log', () => file.flush());
  },
});

/** Whether one more is among the first `rate` of its second. */
function limiter(rate: number, { now }: PluginEnv): () => boolean {
  let second = -Infinity;
  let written = 0;
  return () => {
    if (now() - second >= SECOND) {
      second = now();
      written = 0;
    }
    return written++ < rate;
  };
}
