import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  RedisCommand,
  RedisError,
  RedisReplyReader,
  redisSettings,
  type RedisReply,
  type RedisSettings,
} from '../../../plugins/redis/index.ts';
import { FAILED, REPLY, ReplyScanner } from '../../../plugins/redis/reply-scanner.ts';
import { readValue } from '../../../plugins/redis/reply-value.ts';
import { CAPTURES } from '../../support/shared-captures.ts';
import { byteByByte, cut, text } from '../../support/codec-driving.ts';

/** A session: commands go out, bytes come in, and each step tells what was read. */
class Session {
  readonly settings: RedisSettings;
  readonly reader: RedisReplyReader;
  /** Replies that are read, in order. */
  readonly replies: RedisReply[] = [];

  constructor(settings: Partial<RedisSettings> = {}) {
    this.settings = redisSettings(settings);
    this.reader = new RedisReplyReader(this.settings);
  }

  /** Whether each is answered; arguments are words. */
  send(...lines: readonly string[]): boolean[] {
    return lines.map((line) => this.reader.sent(RedisCommand.of(...line.split(' '))));
  }

  /** `GET: "v"` for what completes the reply to a command, `(GET)` for part of it, `push` for what answers none. */
  receive(latin1: string, chunks = [text(latin1)]): string[] {
    const told: string[] = [];
    for (const chunk of chunks) {
      // Elsewhere in memory that is overwritten afterwards.
      const bytes = Uint8Array.from([9, 9, ...chunk, 9]);
      this.reader.push(bytes, 2, chunk.length);
      for (let said = this.reader.next(); said !== undefined; said = this.reader.next()) {
        const reply = said.message as RedisReply;
        this.replies.push(reply);
        const name = reply.command?.name;
        told.push(name === undefined ? 'push' : said.completes ? name : `(${name})`);
      }
      bytes.fill(7);
    }
    return told;
  }
}

describe('replies', () => {
  it('answer commands in order', () => {
    const s = new Session();
    s.send('SET k v', 'GET k', 'NOSUCH');
    expect(s.receive('+OK\r\n$1\r\nv\r\n-ERR unknown command\r\n')).toEqual(['SET', 'GET', 'NOSUCH']);
    expect(s.replies.map((reply) => reply.value)).toEqual(['OK', 'v', new RedisError('ERR unknown command')]);
    expect(s.replies[2]!.error?.code).toBe('ERR');
    expect(s.settings.stats).toMatchObject({ replies: 3, pushes: 0 });
  });

  it.each([
    ['+OK\r\n', 'OK'],
    [':-7\r\n', -7],
    [':9223372036854775807\r\n', 9223372036854775807n],
    ['$0\r\n\r\n', ''],
    ['$-1\r\n', null],
    ['*-1\r\n', null],
    ['_\r\n', null],
    ['#t\r\n', true],
    [',1.5\r\n', 1.5],
    [',-inf\r\n', -Infinity],
    ['(12345678901234567890\r\n', 12345678901234567890n],
    ['=7\r\ntxt:abc\r\n', 'abc'],
    ['!5\r\nERR x\r\n', new RedisError('ERR x')],
    ['*3\r\n:1\r\n*0\r\n*2\r\n+a\r\n$-1\r\n', [1, [], ['a', null]]],
    [
      '%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n#f\r\n',
      [
        ['a', 1],
        ['b', [false]],
      ],
    ],
    ['|1\r\n+ttl\r\n:9\r\n*1\r\n|1\r\n+x\r\n+y\r\n+z\r\n', ['z']],
  ])('read %j', (bytes, value) => {
    for (const chunks of [[text(bytes)], byteByByte(text(bytes))]) {
      const s = new Session();
      s.send('GET k', 'PING');
      expect(s.receive('', [...chunks, text('+PONG\r\n')])).toEqual(['GET', 'PING']);
      expect(s.replies[0]!.value).toEqual(value);
      expect(s.settings.budget.used).toBe(0);
    }
  });

  it('too long to be kept are read all the same', () => {
    const s = new Session({ replyLimit: 100 });
    s.send('GET k', 'PING');
    const bytes = text(`$1000\r\n${'x'.repeat(1000)}\r\n+PONG\r\n`);
    expect(s.receive('', cut(bytes, [300, 600, 900]))).toEqual(['GET', 'PING']);
    expect(s.replies[0]).toMatchObject({ length: 1009, whole: false, value: undefined, type: '$' });
    expect(s.settings.budget.used).toBe(0);
  });

  it('with a gap inside a bulk string end where they do', () => {
    const s = new Session();
    s.send('GET k', 'PING');
    expect(s.receive('$100\r\nxx')).toEqual([]);
    s.reader.gap(90);
    expect(s.receive('xxxxxxxx\r\n+PONG\r\n')).toEqual(['GET', 'PING']);
    expect(s.replies[0]!.whole).toBe(false);
    s.reader.gap(1);
    expect([s.reader.reading, s.reader.failure]).toEqual([false, 'gap']);
  });

  it.each([
    ['HTTP/1.1 200 OK\r\n', 'invalid-length'],
    ['?7\r\n', 'unknown-type'],
    ['$x\r\n', 'invalid-length'],
    ['$\r\n', 'invalid-length'],
    ['*1099511627777\r\n', 'too-many-elements'],
  ])('are not %j', (bytes, failure) => {
    const s = new Session();
    s.send('PING');
    expect(s.receive(bytes)).toEqual([]);
    expect([s.reader.reading, s.reader.failure]).toEqual([false, failure]);
    expect([...s.settings.stats.unreadable.all]).toEqual([[failure, 1]]);
  });

  it('after QUIT there are none', () => {
    const s = new Session();
    s.send('QUIT');
    expect(s.receive('+OK\r\n')).toEqual(['QUIT']);
    expect([s.reader.reading, s.reader.closes, s.reader.failure]).toEqual([false, true, undefined]);
  });
});

describe('silence', () => {
  it('CLIENT REPLY OFF lasts until ON', () => {
    const s = new Session();
    expect(s.send('CLIENT REPLY OFF', 'SET k v', 'CLIENT REPLY SKIP', 'PING', 'CLIENT REPLY ON', 'PING')).toEqual([
      ...[false, false, false, false, true, true],
    ]);
    expect(s.receive('+OK\r\n+PONG\r\n')).toEqual(['CLIENT REPLY', 'PING']);
  });

  it('CLIENT REPLY SKIP is about the next command', () => {
    const s = new Session();
    expect(s.send('CLIENT REPLY SKIP', 'PING', 'PING')).toEqual([false, false, true]);
    expect(s.send('CLIENT REPLY SKIP', 'CLIENT REPLY ON', 'PING')).toEqual([false, false, true]);
  });

  it('in a transaction comes with EXEC only', () => {
    expect(new Session().send('MULTI', 'CLIENT REPLY OFF', 'EXEC')).toEqual([true, true, true]);
  });

  it('ends with RESET', () => {
    expect(new Session().send('CLIENT REPLY OFF', 'RESET', 'PING')).toEqual([false, true, true]);
  });
});

describe('subscriptions', () => {
  const confirm = (type: string, kind: string, name: string, count: number) =>
    `${type}3\r\n$${kind.length}\r\n${kind}\r\n$${name.length}\r\n${name}\r\n:${count}\r\n`;
  const published = (type: string) => `${type}3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n`;

  it.each(['*', '>'])('are confirmed one by one, with messages in between (%s)', (type) => {
    const s = new Session();
    s.send('SUBSCRIBE a b', 'PING', 'UNSUBSCRIBE');
    const pong = type === '*' ? '*2\r\n$4\r\npong\r\n$0\r\n\r\n' : '+PONG\r\n';
    const bytes =
      confirm(type, 'subscribe', 'a', 1) +
      published(type) +
      confirm(type, 'subscribe', 'b', 2) +
      pong +
      published(type);
    expect(s.receive(bytes)).toEqual(['(SUBSCRIBE)', 'push', 'SUBSCRIBE', 'PING', 'push']);
    expect(s.receive(confirm(type, 'unsubscribe', 'a', 1))).toEqual(['(UNSUBSCRIBE)']);
    expect(s.receive(confirm(type, 'unsubscribe', 'b', 0))).toEqual(['UNSUBSCRIBE']);
  });

  it.each(['*', '>'])('to shard channels are confirmed and heard likewise (%s)', (type) => {
    const s = new Session();
    s.send('SSUBSCRIBE a b', 'SUNSUBSCRIBE b');
    const heard = `${type}3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$2\r\nhi\r\n`;
    const bytes = confirm(type, 'ssubscribe', 'a', 1) + heard + confirm(type, 'ssubscribe', 'b', 2) + heard;
    expect(s.receive(bytes)).toEqual(['(SSUBSCRIBE)', 'push', 'SSUBSCRIBE', 'push']);
    expect(s.receive(confirm(type, 'sunsubscribe', 'b', 1) + heard)).toEqual(['SUNSUBSCRIBE', 'push']);
  });

  it('that are not there are confirmed as well', () => {
    const s = new Session();
    s.send('UNSUBSCRIBE', 'PUNSUBSCRIBE x y', 'PING');
    expect(s.receive('*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n')).toEqual(['UNSUBSCRIBE']);
    expect(
      s.receive(confirm('*', 'punsubscribe', 'x', 0) + confirm('*', 'punsubscribe', 'y', 0) + '+PONG\r\n'),
    ).toEqual([...['(PUNSUBSCRIBE)', 'PUNSUBSCRIBE', 'PING']]);
  });

  it('that are refused are so once', () => {
    const s = new Session();
    s.send('SUBSCRIBE a b', 'PING');
    expect(s.receive('-NOPERM no\r\n+PONG\r\n')).toEqual(['SUBSCRIBE', 'PING']);
  });

  it('do not take a list that begins like a message for one where there are none', () => {
    const s = new Session();
    s.send('LRANGE l 0 -1');
    expect(s.receive(published('*'))).toEqual(['LRANGE']);
  });
});

it('invalidations and what MONITOR shows are no replies', () => {
  const s = new Session();
  s.send('GET k', 'MONITOR', 'PING');
  expect(s.receive('>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n$1\r\nv\r\n')).toEqual(['push', 'GET']);
  expect(s.receive('+OK\r\n+1.5 [0 127.0.0.1:1] "SET" "k" "v"\r\n+PONG\r\n')).toEqual(['MONITOR', 'push', 'PING']);
});

describe('the vectors of redis-parser', () => {
  interface Vector {
    readonly id: string;
    readonly chunks_b64: readonly string[];
    readonly events: readonly (readonly [kind: string, ...rest: unknown[]])[];
  }
  const { vectors } = JSON.parse(readFileSync(`${CAPTURES}vectors/resp_replies.json`, 'utf8')) as {
    vectors: readonly Vector[];
  };

  it.each(vectors.map((v) => [v.id, v] as const))('%s', (_, { chunks_b64, events }) => {
    // Its spec goes on after an error that is fatal; a connection does not.
    const fatal = events.findIndex(([kind]) => kind === 'returnFatalError');
    const scanner = new ReplyScanner();
    const found: unknown[] = [];
    let bytes = Buffer.alloc(0);
    let [start, fed] = [0, 0];
    feeding: for (const chunk of chunks_b64) {
      bytes = Buffer.concat([bytes, Buffer.from(chunk, 'base64')]);
      while (fed < bytes.length) {
        const result = scanner.feed(bytes, fed, bytes.length);
        fed = scanner.position;
        if (result === FAILED) break feeding;
        if (result !== REPLY) break;
        found.push(plain(readValue(bytes.subarray(start, fed))));
        start = fed;
      }
    }
    const wanted = events.slice(0, fatal < 0 ? undefined : fatal).map(([, value]) => plain(value));
    expect(found).toEqual(wanted);
  });

  /** Values as they compare: redis-parser gives errors and buffers in wrappings, and big numbers as doubles. */
  function plain(value: unknown): unknown {
    if (value instanceof RedisError) return `error ${value.text}`;
    if (typeof value === 'bigint') return Number(value);
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'object' || value === null) return value;
    const { buf, err } = value as { readonly buf?: string; readonly err?: string };
    return err === undefined ? Buffer.from(buf!, 'base64').toString('utf8') : `error ${err}`;
  }
});
