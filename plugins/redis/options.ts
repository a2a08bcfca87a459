/** The options of the plugin `redis`, and what they come to. */
import { option, z } from 'tcpcopy/plugin';

/** Shorter commands than these are common, and longer ones are better not in memory. */
const SMALLEST_LIMIT = 1 << 10;
const LARGEST_LIMIT = 64 << 20;

export const redisOptions = z
  .object({
    prefix: z.string().min(1).optional().describe('put before every key, as in shadow:'),
    databases: z
      .record(z.string().regex(/^\d{1,5}$/, 'is no number of a database'), z.int().min(0))
      .default({})
      .describe('database on the target for one online, as in databases.0=3'),
    database: z
      .int()
      .min(0)
      .default(0)
      .describe('database online of connections that were open before copying began, until they choose one'),
    auth: z.string().min(1).optional().describe('file with a line for each user: ONLINE-USER TARGET-USER PASSWORD'),
    user: z.string().min(1).optional().describe('user on the target, for all; default where only a password is given'),
    password: option.secret().optional().describe('password on the target, for all'),
    admin: z
      .enum(['drop', 'pass'])
      .default('drop')
      .describe('commands that run a server (CONFIG SET, REPLICAOF, SHUTDOWN, MIGRATE…): not sent, or sent'),
    unparsable: z
      .enum(['raw', 'drop'])
      .default('raw')
      .describe('bytes that a Redis server would not take for commands: passed on as they are, or not sent'),
    commandLimit: option
      .size()
      .default(1 << 20)
      .refine((bytes) => bytes >= SMALLEST_LIMIT && bytes <= LARGEST_LIMIT, 'must be from 1k to 64M')
      .describe('longest command that is held until it is whole; longer ones stream past'),
  })
  .refine(({ user, password }) => user === undefined || password !== undefined, 'user: needs a password')
  .refine(({ auth, password }) => auth === undefined || password === undefined, 'give auth or password, not both');

export type RedisOptions = z.output<typeof redisOptions>;
