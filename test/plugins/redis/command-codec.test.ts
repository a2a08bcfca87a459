import { describe, expect, it } from 'vitest';
import { RedisCommandCodec, redisSettings, type RedisPiece, type RedisSettings } from '../../../plugins/redis/index.ts';
import { CodecConversation, contentOf, text } from '../../support/codec-driving.ts';
import { feed, resp } from './transcript.ts';

class Conversation extends CodecConversation<RedisPiece, RedisCommandCodec> {
  readonly settings: RedisSettings;

  constructor(given: Partial<RedisSettings> = {}, fromSyn = true) {
    const settings = redisSettings(given);
    super(new RedisCommandCodec(fromSyn, settings), tell);
    this.settings = settings;
  }
}

/** `^` begins a command, `$` ends it; the command where it begins, else the bytes; and what is special about it. */
function tell(piece: RedisPiece): string {
  const bytes = Buffer.from(contentOf(piece)).toString('latin1');
  const special = [
    ...(piece.answers > 0 ? [`answers ${piece.answers}`] : []),
    ...(piece.unparsable === undefined ? [] : [piece.unparsable]),
    ...(piece.refused ? ['refused'] : []),
  ];
  const what = piece.message === undefined ? JSON.stringify(bytes) : piece.message.toString();
  const note = special.length > 0 ? ` (${special.join(', ')})` : '';
  return `${piece.first ? '^' : ''}${what}${piece.last ? '$' : ''}${note}`;
}

describe('commands', () => {
  it('come one by one out of a pipeline, and the first answers what the client saw', () => {
    const c = new Conversation();
    expect(c.push(resp('SET', 'k', 'v') + resp('GET', 'k'), 7)).toEqual(['^SET k v$ (answers 7)', '^GET k$']);
    expect(c.push('ping\r\n')).toEqual(['^ping$']);
  });

  it('wait until they are whole, and keep the time and the turn of their first byte', () => {
    const c = new Conversation();
    const whole = resp('GET', 'key');
    expect(c.push(whole.slice(0, 9), 5)).toEqual([]);
    expect(c.push(whole.slice(9), 3)).toEqual(['^GET key$ (answers 5)']);
    expect(c.push(resp('PING'))).toEqual(['^PING$ (answers 3)']);
  });

  it('are not what redis-server skips', () => {
    const c = new Conversation();
    expect(c.push('\r\n*0\r\n*-1\r\n  \r\n')).toEqual([]);
    expect(c.push(resp('PING'))).toEqual(['^PING$']);
    expect(c.skipped).toEqual([15, 0]);
  });

  it('need no CR LF behind a bulk string, as redis-server does not', () => {
    expect(new Conversation().push('*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPINGyy')).toEqual(['^PING$', '^PING$']);
  });

  it('know the database they speak to', () => {
    const databases = (bytes: string, fromSyn = true) =>
      feed([text(bytes)], { fromSyn }).commands.map(({ command }) => command.database);
    expect(databases(resp('GET', 'k') + resp('SELECT', '3') + resp('GET', 'k') + 'reset\r\n')).toEqual([0, 3, 3, 0]);
    expect(databases(resp('GET', 'k') + resp('SELECT', 'x') + resp('select', '2'), false)).toEqual([
      undefined,
      undefined,
      2,
    ]);
  });

  it('longer than the limit stream past, with the arguments at their beginning', () => {
    const c = new Conversation({ commandLimit: 40 });
    const whole = resp('SET', 'key', 'v'.repeat(60));
    expect(c.push(whole.slice(0, 36))).toEqual([]);
    expect(c.push(whole.slice(36, 60))).toEqual(['^SET key … (3 arguments)', '"vvvvvvvvvvvvvvvvvvvvvvvv"']);
    expect(c.push(whole.slice(60) + resp('PING'))).toEqual([expect.stringMatching(/^"v{27}\\r\\n"\$$/), '^PING$']);
    expect(c.settings.stats).toMatchObject({ commands: 2, streamed: 1 });
    expect(c.settings.budget.used).toBe(0);
  });

  it('stream past where memory is short', () => {
    const c = new Conversation({ budget: { used: 0, limit: 30 } });
    const whole = resp('SET', 'key', 'v'.repeat(20));
    expect(c.push(whole.slice(0, 29))).toEqual([]);
    expect(c.push(whole.slice(29))).toEqual(['^SET key … (3 arguments)', expect.stringMatching(/"\$$/)]);
    expect(c.settings.budget.used).toBe(0);
  });

  it('that are not whole at the end of the connection are handed on, and are none', () => {
    const c = new Conversation();
    expect(c.push('*2\r\n$3\r\nGET\r\n')).toEqual([]);
    expect(c.end()).toEqual(['^"*2\\r\\n$3\\r\\nGET\\r\\n" (unfinished)']);
    expect(c.settings.budget.used).toBe(0);
  });
});

describe('what is not Redis', () => {
  it('passes as it is from there on, in turns', () => {
    const c = new Conversation();
    expect(c.push(`${resp('PING')}*1\r\n:1\r\n`)).toEqual(['^PING$', '^"*1\\r\\n:1\\r\\n" (no-bulk-string)']);
    expect(c.push(resp('PING'))).toEqual(['"*1\\r\\n$4\\r\\nPING\\r\\n" (no-bulk-string)']);
    expect(c.push('x', 9)).toEqual(['^"x" (answers 9, no-bulk-string)']);
    expect([...c.settings.stats.unparsable.all]).toEqual([['no-bulk-string', 1]]);
  });

  it('is refused on demand', () => {
    const c = new Conversation({ unparsable: 'drop' });
    expect(c.push('*01\r\n')).toEqual(['^"*01\\r\\n" (invalid-count, refused)']);
  });

  it('is refused behind commands after which redis-server closes: it did not read it either', () => {
    for (const last of ['QUIT', 'POST', 'host:']) {
      const c = new Conversation();
      expect(c.push(`${last} x\r\nSET k v\r\n`).slice(1)).toEqual(['^"SET k v\\r\\n" (after-close, refused)']);
    }
  });

  it('breaks a command that streams past', () => {
    const c = new Conversation({ commandLimit: 19 });
    expect(c.push('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n')).toEqual([expect.stringMatching(/^\^SET k/)]);
    expect(c.push('$x\r\n')).toEqual(['"$x\\r\\n" (invalid-length)']);
  });
});

describe('gaps', () => {
  it('inside a value cost that command only', () => {
    const c = new Conversation();
    const whole = resp('SET', 'key', 'v'.repeat(100));
    expect(c.push(whole.slice(0, 40))).toEqual([]);
    expect(c.codec.gap(50)).toBe(false);
    expect(c.push(whole.slice(90) + resp('PING'))).toEqual(['^PING$']);
    expect(c.skipped).toEqual([whole.length, 1]);
  });

  it('inside a value that streams past break it, and no other', () => {
    const c = new Conversation({ commandLimit: 20 });
    const whole = resp('SET', 'key', 'v'.repeat(100));
    expect(c.push(whole.slice(0, 40)).length).toBe(1);
    expect(c.codec.gap(50)).toBe(true);
    expect(c.push(whole.slice(90) + resp('PING'))).toEqual(['^PING$']);
    expect(c.skipped).toEqual([whole.length - 40, 0]);
  });

  it('elsewhere end at the next run of commands, wherever in a segment it begins', () => {
    const c = new Conversation();
    c.push(resp('PING'));
    expect(c.codec.gap(10)).toBe(false);
    const value = `${'x'.repeat(20)}\r\n*1\r\n$4\r\nPING\r\n\r\n`;
    // What looks like a command inside a value is followed by the value's own end.
    expect(c.push(`${value}${resp('GET', 'k')}${resp('SET', 'k', 'v')}*2\r\n$3`)).toEqual(['^GET k$', '^SET k v$']);
    expect(c.push('\r\nGET\r\n$1\r\nz\r\n')).toEqual(['^GET z$']);
    expect(c.skipped).toEqual([10 + value.length, 1]);
    expect(c.settings.stats.resynchronised).toBe(1);
  });

  it.each([
    ['no command', '*2\r\n$4\r\nNOPE\r\n$1\r\nx\r\n'],
    ['too few arguments', '*1\r\n$3\r\nGET\r\n'],
    ['a line end that is none', '*2\r\n$3\r\nGETxx$1\r\nk\r\n'],
    ['too little to tell', '*2\r\n$3\r\nGE'],
    ['a line of text', 'GET k\r\n'],
  ])('do not end at %s', (_, bytes) => {
    const c = new Conversation({}, false);
    expect(c.push(bytes)).toEqual([]);
    expect(c.skipped).toEqual([bytes.length, 1]);
  });

  it('end at a line of text where a turn begins', () => {
    const c = new Conversation({}, false);
    expect(c.push('PING\r\nGET k\r\n', 5)).toEqual(['^PING$ (answers 5)', '^GET k$']);
  });

  it('in bytes that are not Redis end at the next turn', () => {
    const c = new Conversation();
    c.push('*x\r\n');
    expect(c.codec.gap(10)).toBe(true);
    expect(c.push('abc')).toEqual([]);
    expect(c.push('def', 4)).toEqual(['^"def" (answers 4, invalid-count)']);
  });
});
