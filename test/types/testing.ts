/** What the types of `tcpcopy/testing`, and of protocols' hooks, promise; checked by `npm run typecheck`, never run. */
import { expectTypeOf } from 'vitest';
import {
  definePlugin,
  option,
  z,
  type Dialogue,
  type ExchangeContext,
  type ExchangeHook,
  type HttpRequest,
  type HttpResponse,
  type RequestContext,
  type RequestHook,
  type ResponseContext,
  type ResponseHook,
  type ResponseReader,
} from 'tcpcopy/plugin';
import { codecChecks, optionsOf, refusalOf, TestRun, type Check, type TestConnection } from 'tcpcopy/testing';

interface Question {
  words: readonly string[];
}
interface Answer {
  readonly yes: boolean;
}

declare module 'tcpcopy/plugin' {
  interface ProtocolHooks {
    readonly quiz: {
      readonly question: RequestHook<Question>;
      readonly answer: ResponseHook<Answer>;
      readonly exchange: ExchangeHook<Question, Answer>;
    };
  }
}

const plugin = definePlugin({
  name: 'quiz',
  description: 'Checks types.',
  options: z.object({ share: option.percent(), words: z.array(z.string()).default([]) }),
  state: () => ({ asked: 0 }),
  apply(hooks) {
    // Messages of protocols, of others and built-in, are typed on their hooks, and so is the connection's state.
    hooks.quiz.question.tapPromise('quiz', async (question, context) => {
      expectTypeOf(question).toEqualTypeOf<Question>();
      expectTypeOf(context).toEqualTypeOf<RequestContext<{ asked: number }>>();
    });
    hooks.quiz.answer.tap('quiz', (answer, context) => {
      expectTypeOf(answer).toEqualTypeOf<Answer>();
      expectTypeOf(context).toEqualTypeOf<ResponseContext<{ asked: number }>>();
    });
    hooks.quiz.exchange.tap('quiz', (exchange) => {
      expectTypeOf(exchange).toEqualTypeOf<ExchangeContext<{ asked: number }, Question, Answer>>();
      expectTypeOf(exchange.target).toEqualTypeOf<Answer | undefined>();
    });
    hooks.http.exchange.tap('quiz', ({ request, online }) => {
      expectTypeOf(request).toEqualTypeOf<HttpRequest>();
      expectTypeOf(online).toExtend<HttpResponse | undefined>();
    });
    // Responses are not waited for.
    expectTypeOf(hooks.quiz.answer).not.toHaveProperty('tapPromise');
    // @ts-expect-error -- nothing is dropped by who looks at exchanges
    hooks.quiz.exchange.tap('quiz', () => ({ drop: 'late' }));
    const row = { payload: 'x', moment: 'x', nothing: 'x' };
    hooks.provide('quiz', {
      hooks: {
        question: { ...row, role: 'request' },
        answer: { ...row, role: 'response' },
        exchange: { ...row, role: 'exchange' },
      },
      effect: (question) => (question.words.length > 0 ? 'read' : 'unknown'),
      detect: (bytes, _offset, _length, connection) =>
        bytes.length > 0 && connection.server.port === 7 ? 'yes' : 'no',
      responses: (_connection, origin) => {
        expectTypeOf(origin).toEqualTypeOf<'target' | 'online'>();
        return {} as ResponseReader;
      },
      dialogue: () => ({}) as Dialogue,
    });
  },
});

export async function runs(): Promise<void> {
  const run = await TestRun.start([plugin, 'http', [plugin, 'quiz,share=1%'], [plugin, { share: '1%' }]], { seed: 1 });
  const connection = run.connect('192.0.2.1', 5_000);
  expectTypeOf(connection).toEqualTypeOf<TestConnection>();
  expectTypeOf(connection.send(new Uint8Array(1), 0)).toBeString();
  expectTypeOf(connection.messages[0]!.verdict).toEqualTypeOf<'copied' | 'dropped' | 'waiting'>();
  const { units } = await run.finish();
  expectTypeOf(units.answered).toEqualTypeOf<number | undefined>();
  // @ts-expect-error -- no such bucket
  expectTypeOf(units.lost).toBeNumber();
  // @ts-expect-error -- a number tells a plugin nothing
  await TestRun.start([[plugin, 3]]);
  expectTypeOf(optionsOf(plugin, 'quiz')).toEqualTypeOf<{ share: number; words: string[] }>();
  expectTypeOf(refusalOf(plugin, 'quiz')).toBeString();
}

export function checks(): readonly Check[] {
  return codecChecks<Question, Answer>({
    plugin: [plugin, 'quiz,share=1%'],
    protocol: 'quiz',
    conversations: { one: { client: ['who\n', new Uint8Array(2)], server: [''] } },
    tell: ({ words }) => words.join(' '),
    tellResponse: ({ yes }) => String(yes),
    edit: (question) => (question.words = []),
  });
}
