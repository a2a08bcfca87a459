/** Copies MySQL commands by what their statements are and touch, and by who sends them. */
import { definePlugin, option, parsePattern, z, type Matches } from 'tcpcopy/plugin';
import { subjectOf, type Subject } from './subject.ts';

/** Whether a statement is as one text of a list says. */
type Test = (subject: Subject) => boolean;

const KIND = /^@(read|write|session|transaction|admin|unknown)$/;

export default definePlugin({
  name: 'mysql-filter',
  description: 'Copies MySQL statements by verb, kind, schema, user, text and digest.',
  options: z
    .object({
      schema: list(parsePattern, 'schemas to copy statements of, as in shop or app_*: all that one touches must match'),
      verb: list(
        verbTest,
        'statements to copy: SELECT, CREATE, CREATE TABLE, or a kind: @read, @write, @admin, @unknown',
      ),
      user: list(parsePattern, 'users to copy, as they are called online'),
      sql: list(parsePattern, 'texts to copy, as in *orders* or /^SELECT .* FROM orders/'),
      digest: list(parsePattern, 'digests to copy: 16 hexadecimal digits'),
      denySchema: list(parsePattern, 'schemas not to copy statements of: one that it touches is enough'),
      denyVerb: list(verbTest, 'statements not to copy: of several in one text one is enough'),
      denyUser: list(parsePattern, 'users not to copy'),
      denySql: list(parsePattern, 'texts not to copy'),
      denyDigest: list(parsePattern, 'digests not to copy'),
      others: z
        .enum(['pass', 'drop'])
        .default('pass')
        .describe('what is no MySQL command: other protocols, bytes that cannot be read'),
    })
    .refine(
      ({ others, ...lists }) => others === 'drop' || Object.values(lists).some(({ length }) => length > 0),
      'nothing is allowed or denied: give schema, verb, user, denyVerb…',
    ),
  shorthand: 'schema',
  protocol: 'mysql',
  phase: 'filter',
  examples: ['mysql-filter=shop', 'mysql-filter,verb=@read', 'mysql-filter,user=app_*,denyVerb=LOCK,denySql=*secret*'],
  apply(hooks, { others, ...lists }) {
    const { user, denyUser } = lists;
    hooks.mysql.command.tap('mysql-filter', (command, context) => {
      const byUser = refusedUser(command.newUser ?? command.user, user, denyUser);
      // A session that nothing is sent in is not worth its login.
      if (byUser !== undefined) return command.name === 'LOGIN' ? context.dropConnection(byUser) : context.drop(byUser);
      const subject = subjectOf(command);
      const why = subject === 'connection' ? undefined : refused(subject, lists);
      return why === undefined ? undefined : context.drop(why);
    });
    if (others === 'pass') return;
    hooks.request.tap('mysql-filter:others', (context) => {
      if (context.protocol !== 'mysql' || context.message === undefined) context.drop('no MySQL command');
    });
  },
});

/** Lists of one kind, each entry made what tells whether it applies. */
interface Lists {
  readonly schema: readonly Matches[];
  readonly verb: readonly Test[];
  readonly sql: readonly Matches[];
  readonly digest: readonly Matches[];
  readonly denySchema: readonly Matches[];
  readonly denyVerb: readonly Test[];
  readonly denySql: readonly Matches[];
  readonly denyDigest: readonly Matches[];
}

function refusedUser(
  user: string | undefined,
  allow: readonly Matches[],
  deny: readonly Matches[],
): string | undefined {
  if (allow.length + deny.length === 0) return undefined;
  if (user === undefined) return 'user not known';
  if (deny.some((matches) => matches(user))) return 'denyUser';
  return allow.length > 0 && !allow.some((matches) => matches(user)) ? 'user not allowed' : undefined;
}

/** Why a statement is not copied. */
function refused(subject: Subject | undefined, lists: Lists): string | undefined {
  const { schema, verb, sql, digest, denySchema, denyVerb, denySql, denyDigest } = lists;
  if (subject === undefined) {
    const asked = [schema, verb, sql, digest, denySchema, denyVerb, denySql, denyDigest];
    return asked.some(({ length }) => length > 0) ? 'statement not known' : undefined;
  }
  const { schemas, text } = subject;
  if (denyVerb.some((test) => test(subject))) return 'denyVerb';
  if (denySchema.some((matches) => schemas.some((name) => name !== undefined && matches(name)))) return 'denySchema';
  if (denySql.some((matches) => matches(text))) return 'denySql';
  if (denyDigest.some((matches) => matches(subject.digest))) return 'denyDigest';
  // Without these nothing else means what it should: BEGIN, COMMIT, SET, USE…
  if (subject.ofConnection) return undefined;
  if ((schema.length > 0 || denySchema.length > 0) && schemas.includes(undefined)) return 'schema not known';
  if (verb.length > 0 && !verb.some((test) => test(subject))) return 'verb not allowed';
  const all = schema.length === 0 || schemas.every((name) => schema.some((matches) => matches(name!)));
  if (!all) return 'schema not allowed';
  if (sql.length > 0 && !sql.some((matches) => matches(text))) return 'sql not allowed';
  return digest.length > 0 && !digest.some((matches) => matches(subject.digest)) ? 'digest not allowed' : undefined;
}

/** An option: texts, each made a test. */
function list<T>(read: (text: string) => T | undefined, text: string) {
  return option.each(read, 'is no kind of statements, or no regular expression').describe(text);
}

function verbTest(text: string): Test | undefined {
  if (text.startsWith('@')) {
    const kind = KIND.exec(text)?.[1];
    return kind === undefined ? undefined : ({ effect }) => effect === kind;
  }
  const matches = parsePattern(/^\/.*\/$/.test(text) ? text : text.toUpperCase());
  // The first word stands for all that begin with it.
  return matches && (({ verbs }) => verbs.some((verb) => matches(verb) || matches(verb.split(' ', 1)[0]!)));
}
