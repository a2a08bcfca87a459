/** Copies Redis commands by what they are and by their keys. */
import { definePlugin, option, parsePattern, z, type Matches, type RedisCommand } from 'tcpcopy/plugin';

/** Whether a command is as one text of a list says. */
type Test = (command: RedisCommand) => boolean;

const KIND = /^@(read|write|script|publish|admin|connection)$/;

export default definePlugin({
  name: 'redis-filter',
  description: 'Copies Redis commands by name, by kind, and by keys.',
  options: z
    .object({
      key: list(parsePattern, 'keys to copy commands of, as in user:* or /^user:[0-9]+$/: all of a command must match'),
      command: list(
        commandTest,
        'commands to copy: GET, CONFIG *, or a kind: @read, @write, @script, @publish, @admin',
      ),
      denyKey: list(parsePattern, 'keys not to copy commands of: one of a command is enough'),
      denyCommand: list(commandTest, 'commands not to copy'),
      others: z
        .enum(['pass', 'drop'])
        .default('pass')
        .describe('what is no Redis command: other protocols, bytes that cannot be read'),
    })
    .refine(
      ({ others, ...lists }) => others === 'drop' || Object.values(lists).some(({ length }) => length > 0),
      'nothing is allowed or denied: give key, command, denyKey or denyCommand',
    ),
  shorthand: 'key',
  protocol: 'redis',
  phase: 'filter',
  examples: ['redis-filter=user:*', 'redis-filter,denyCommand=KEYS,@script', 'redis-filter,command=@read'],
  apply(hooks, { key, command: allowed, denyKey, denyCommand, others }) {
    hooks.redis.command.tap('redis-filter', (command, context) => {
      if (denyCommand.some((test) => test(command))) return context.drop('denyCommand');
      // Without these nothing else means what it should: AUTH, SELECT, MULTI, EXEC…
      const ofConnection = command.spec?.kind === 'connection';
      if (allowed.length > 0 && !ofConnection && !allowed.some((test) => test(command))) {
        return context.drop('command not allowed');
      }
      if (key.length + denyKey.length === 0) return undefined;
      if (command.keyPositions === undefined) return context.drop('keys not known');
      const { keys } = command;
      if (keys.some((each) => denyKey.some((matches) => matches(each)))) return context.drop('denyKey');
      const all = key.length === 0 || keys.every((each) => key.some((matches) => matches(each)));
      return all ? undefined : context.drop('key not allowed');
    });
    if (others === 'pass') return;
    hooks.redis.connection.tap('redis-filter', (reading) => reading.refuseUnparsable());
    hooks.request.tap('redis-filter:others', (context) => {
      if (context.protocol !== 'redis' || context.message === undefined) context.drop('no Redis command');
    });
  },
});

/** An option: texts, each made a test. */
function list<T>(read: (text: string) => T | undefined, text: string) {
  return option.each(read, 'is no kind of commands, or no regular expression').describe(text);
}

function commandTest(text: string): Test | undefined {
  if (text.startsWith('@')) {
    const kind = KIND.exec(text)?.[1];
    return kind === undefined ? undefined : (command) => command.spec?.kind === kind;
  }
  const matches: Matches | undefined = parsePattern(/^\/.*\/$/.test(text) ? text : text.toUpperCase());
  // A container's name stands for all it contains.
  return matches && (({ name }) => matches(name) || matches(name.split(' ', 1)[0]!));
}
