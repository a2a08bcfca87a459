/** The options of the plugin `mysql`, and what they come to. */
import { option, parsePattern, z, type Matches } from 'tcpcopy/plugin';

/** Shorter commands than these are common, and longer ones are better not in memory. */
const SMALLEST_LIMIT = 1 << 10;
const LARGEST_LIMIT = 64 << 20;

export const mysqlOptions = z
  .object({
    users: z.string().min(1).optional().describe('file with a line for each user: ONLINE-USER TARGET-USER PASSWORD'),
    user: z.string().min(1).optional().describe('user on the target, for all'),
    password: option.secret().optional().describe('password on the target, for all'),
    database: z
      .string()
      .min(1)
      .optional()
      .describe('database of connections that were open before copying began, until they choose one'),
    localInfile: z
      .enum(['drop', 'pass'])
      .default('drop')
      .describe('LOAD DATA LOCAL: not sent, or sent with the file that the client sends'),
    admin: z
      .enum(['drop', 'pass'])
      .default('drop')
      .describe('what is about a server or other sessions of it (KILL, SHUTDOWN, SET GLOBAL…): not sent, or sent'),
    reads: option
      .each<Matches>(
        (text) => parsePattern(/^\/.*\/$/.test(text) ? text : text.toLowerCase()),
        'is no regular expression',
      )
      .describe('stored procedures and functions that change nothing, as in price_of or reports.*: others are writes'),
    commandLimit: option
      .size()
      .default(1 << 20)
      .refine((bytes) => bytes >= SMALLEST_LIMIT && bytes <= LARGEST_LIMIT, 'must be from 1k to 64M')
      .describe('longest command that is held until it is whole; longer ones stream past'),
  })
  .refine(({ user, password }) => password === undefined || user !== undefined, 'password: needs a user')
  .refine(({ users, user }) => users === undefined || user === undefined, 'give users or user, not both');

export type MysqlOptions = z.output<typeof mysqlOptions>;
