/** Runs every message through a program in whatever language: one line of JSON for each, and one back. */
import { definePlugin, option, z, type PluginEnv, type RequestContext } from 'tcpcopy/plugin';
import { findProgram, splitCommand } from './command.ts';
import { applyAnswer, describeMessage, parseAnswer } from './message.ts';
import { FAILURES, type Failure } from './outcome.ts';
import { Program } from './program.ts';

/** What a program is told of our environment: nothing that could be a secret. */
const VARIABLES = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ', 'LANG', 'LC_ALL', 'LC_CTYPE'];
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LONGEST_TIMEOUT = 300_000;
/** The host waits a little longer than we do, so that it is we who say what becomes of a message. */
const HOST_PATIENCE = 5_000;
/** For the end of the input, SIGTERM and SIGKILL. */
const SHUTDOWN_DEADLINE = 10_000;

export default definePlugin({
  name: 'exec',
  description: 'Runs requests through a program in any language, which passes, changes, delays or drops them.',
  options: z.object({
    command: z
      .string()
      .refine((text) => (splitCommand(text) ?? []).length > 0, 'is no command, or a quote is not closed')
      .describe('the program and its arguments; quotes and backslashes as in a shell, but nothing else of one'),
    fallback: z
      .enum(['pass', 'drop'])
      .default('pass')
      .describe('what becomes of a request without an answer: the program has ended, hangs, or talks nonsense'),
    timeout: option
      .duration()
      .refine((ms) => ms > 0 && ms <= LONGEST_TIMEOUT, 'must be above 0 and at most 5m')
      .prefault('1s')
      .describe('how long an answer may take'),
    queue: z.int().min(1).max(1_000_000).default(1_000).describe('requests that may wait for an answer'),
    body: z.boolean().default(true).describe('with the bodies of HTTP requests, which are held for it'),
    env: z
      .array(z.string().regex(NAME, 'is no name of a variable'))
      .default([])
      .describe('further environment variables that it gets, by name'),
  }),
  shorthand: 'command',
  protocol: 'http',
  phase: 'rewrite',
  examples: [
    'exec=./filter.py',
    'exec=python3 filter.py --strict,fallback=drop',
    'exec=./tokens,timeout=200ms,body=no',
  ],
  async apply(hooks, { command, fallback, timeout, queue, body, env: names }, env) {
    const [name = '', ...args] = splitCommand(command)!;
    const variables = environment(names);
    const path = findProgram(name, env.directory, variables['PATH'] ?? '');
    const { directory, childUser: user } = env;
    const program = new Program({ name, path, args, directory, variables, user, timeout, queue }, env);
    const without: Record<Failure, number> = { down: 0, full: 0, late: 0, nonsense: 0 };
    let answered = 0;

    const failed = (context: RequestContext, failure: Failure): void => {
      without[failure]++;
      if (fallback === 'drop') context.drop(FAILURES[failure]);
    };
    hooks.request.tapPromise({ name: 'exec', deadline: timeout + HOST_PATIENCE }, async (context) => {
      const outcome = await program.ask((id) => describeMessage(id, context));
      if ('failure' in outcome) return failed(context, outcome.failure);
      const problem = take(outcome.answer, context);
      if (problem === undefined) answered++;
      else {
        if (without.nonsense === 0) tellNonsense(env, name, problem);
        failed(context, 'nonsense');
      }
    });
    if (body) hooks.http.head.tap('exec', (head) => head.wantBody());
    hooks.stats.tap('exec', (context) => {
      context.figure('answered', answered);
      for (const [failure, count] of Object.entries(without)) {
        if (count > 0) context.figure(FAILURES[failure as Failure], count);
      }
      context.figure('restarts', program.restarts);
      context.figure('lines that are no answer', program.garbage);
      context.figure('late answers', program.late);
    });
    hooks.shutdown.tapPromise({ name: 'exec', deadline: SHUTDOWN_DEADLINE }, () => program.stop());
    await program.start();
  },
});

/** Does what an answer says; returns what is wrong with it. */
function take(answer: unknown, context: RequestContext): string | undefined {
  const parsed = parseAnswer(answer);
  if (parsed === undefined) return 'it has a field that is unknown or of the wrong type';
  try {
    applyAnswer(parsed, context);
    return undefined;
  } catch (error) {
    if (error instanceof TypeError) return 'what it asks for would make an unsound message';
    throw error;
  }
}

/** Without the answer, which may quote traffic. */
function tellNonsense({ log }: PluginEnv, name: string, problem: string): void {
  log.error(`${name} gave an answer that makes no sense: ${problem}; further ones are only counted`);
}

function environment(names: readonly string[]): Record<string, string> {
  const given = [...VARIABLES, ...names].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  // What Python prints would else reach us 8 KiB at a time.
  return { PYTHONUNBUFFERED: '1', ...Object.fromEntries(given) };
}
