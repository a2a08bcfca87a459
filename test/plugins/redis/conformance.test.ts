import { codecChecks } from 'tcpcopy/testing';
import type { RedisCommand, RedisReply } from 'tcpcopy/plugin';
import { test } from 'vitest';
import redis from '../../../plugins/redis/index.ts';
import { resp } from './transcript.ts';

const SET = resp('SET', 'key', 'a\r\nvalue');
const GET = resp('GET', 'key');
const MSET = resp('MSET', 'a', '1', 'b', '2');
const PING = 'PING\r\n';

const push = (kind: string, channel: string, count: number) =>
  `>3\r\n$${kind.length}\r\n${kind}\r\n$1\r\n${channel}\r\n:${count}\r\n`;

const checks = codecChecks<RedisCommand, RedisReply>({
  plugin: redis,
  protocol: 'redis',
  conversations: {
    'a command at a time': {
      client: [SET, GET, PING, MSET],
      messages: ['SET key "a\\r\\nvalue"', 'GET key', 'PING', 'MSET a 1 b 2'],
      server: ['+OK\r\n', '$8\r\na\r\nvalue\r\n', '+PONG\r\n', '-ERR no\r\n'],
      responses: ['SET +', 'GET $', 'PING +', 'MSET -'],
    },
    'a pipeline and a transaction': {
      client: [SET + GET + MSET, resp('MULTI') + GET + GET + resp('EXEC') + SET],
      messages: [
        ...['SET key "a\\r\\nvalue"', 'GET key', 'MSET a 1 b 2'],
        ...['MULTI', 'GET key', 'GET key', 'EXEC', 'SET key "a\\r\\nvalue"'],
      ],
      server: ['+OK\r\n$1\r\nv\r\n+OK\r\n', '+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$1\r\nv\r\n$-1\r\n+OK\r\n'],
    },
    'subscriptions in RESP3': {
      client: [resp('HELLO', '3'), resp('SUBSCRIBE', 'a', 'b'), resp('UNSUBSCRIBE', 'a') + GET],
      server: [
        '%1\r\n+proto\r\n:3\r\n',
        push('subscribe', 'a', 1) + push('subscribe', 'b', 2) + '>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n',
        push('unsubscribe', 'a', 1) + '_\r\n',
      ],
    },
  },
  tell: (command) => command.toString(),
  tellResponse: ({ command, type }) => `${command?.name ?? 'push'} ${type}`,
  edit: (command) => command.set(command.args.length - 1, 'changed by a plugin'),
  rounds: 25,
});
for (const { name, run } of checks) test(name, run);
