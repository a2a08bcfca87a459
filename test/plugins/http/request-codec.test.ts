import { describe, expect, it } from 'vitest';
import { CHUNKED, Conversation, GET, GOT, GOT_NEXT, HEAD_OF_10, NEXT } from './conversation.ts';

describe('pieces', () => {
  it('a request without a body is one piece', () => {
    expect(new Conversation().push(GET)).toEqual([GOT]);
  });

  it('a head is one piece, however it was cut', () => {
    const c = new Conversation();
    expect(c.push(GET.slice(0, 5))).toEqual([]);
    expect(c.push(GET.slice(5, 20))).toEqual([]);
    expect(c.push(GET.slice(20))).toEqual([GOT]);
    expect(c.settings.budget.used).toBe(0);
  });

  it('a body comes as it comes', () => {
    const c = new Conversation();
    expect(c.push(`${HEAD_OF_10}123`)).toEqual([`^[POST /p] ${HEAD_OF_10}`, '123']);
    expect(c.push('45')).toEqual(['45']);
    expect(c.push(`67890${NEXT}`)).toEqual(['67890$', GOT_NEXT]);
  });

  it('chunks keep their framing, and trailers belong to the message', () => {
    const c = new Conversation();
    expect(c.push(CHUNKED)).toEqual([`^[POST /c] ${CHUNKED}`]);
    expect(c.push('3;x=y\r\nab')).toEqual(['3;x=y\r\nab']);
    expect(c.push(`c\r\n0\r\nT: v\r\n\r\n${NEXT}`)).toEqual(['c\r\n0\r\nT: v\r\n\r\n$', GOT_NEXT]);
  });

  it('pipelined requests are messages of their own', () => {
    expect(new Conversation().push(GET + NEXT + HEAD_OF_10)).toEqual([GOT, GOT_NEXT, `^[POST /p] ${HEAD_OF_10}`]);
  });

  it('empty lines before a request belong to it', () => {
    const c = new Conversation();
    expect(c.push(`${HEAD_OF_10}1234567890\r\n`)).toEqual([`^[POST /p] ${HEAD_OF_10}`, '1234567890$']);
    expect(c.push(NEXT, 5)).toEqual([`^[GET /b] \r\n${NEXT}$ (answers 5)`]);
  });

  it('a message owns its bytes', () => {
    const c = new Conversation();
    c.codec.push({ bytes: Buffer.from(GET), offset: 0, length: GET.length, time: 0 as never, serverBytesSeen: 0 });
    const request = c.codec.next()!.message!;
    c.push(NEXT);
    expect([request.method, request.target, request.host]).toEqual(['GET', '/a', 'x']);
  });
});

describe('what a message answers', () => {
  it('is what the client had seen since the message before began', () => {
    const c = new Conversation();
    expect(c.push(GET, 7)).toEqual([`${GOT} (answers 7)`]);
    expect(c.push(HEAD_OF_10, 100)).toEqual([`^[POST /p] ${HEAD_OF_10} (answers 100)`]);
    expect(c.push('12345', 20)).toEqual(['12345']);
    expect(c.push(`67890${NEXT}${GET}`, 3)).toEqual(['67890$', `${GOT_NEXT} (answers 23)`, GOT]);
  });

  it('a body that waited for 100 Continue says so once', () => {
    const head = HEAD_OF_10.replace('\r\n\r\n', '\r\nExpect: 100-Continue\r\n\r\n');
    const c = new Conversation();
    c.push(head, 1);
    expect(c.push('123', 25)).toEqual(['123 (awaits 25)']);
    expect(c.push('4567890')).toEqual(['4567890$']);
    // The next message answers what the client saw after that.
    expect(c.push(head + '123', 90)).toEqual([`^[POST /p] ${head} (answers 90)`, '123']);
  });
});

describe('upgrades', () => {
  const UPGRADE = 'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

  it('what follows is opaque, in turns', () => {
    const c = new Conversation();
    expect(c.push(`${UPGRADE}\x81\x00`)).toEqual([`^[GET /ws] ${UPGRADE}$`, '^\x81\x00 (same session)']);
    expect(c.push('GET /')).toEqual(['GET /']);
    expect(c.push('\x81\x01', 9)).toEqual(['^\x81\x01 (answers 9, same session)']);
    expect(c.settings.stats.upgrades).toBe(1);
  });

  it('a request that begins a turn leads back, since the upgrade may have been refused', () => {
    const c = new Conversation();
    c.push(UPGRADE);
    expect(c.push(GET, 9)).toEqual([`${GOT} (answers 9)`]);
    expect(c.push(NEXT, 9)).toEqual([`${GOT_NEXT} (answers 9)`]);
  });

  it('also with a target that is longer than a segment, but no few bytes of a request line', () => {
    const c = new Conversation();
    c.push(UPGRADE);
    const long = `GET /${'x'.repeat(2_000)} HTTP/1.1\r\nHost: x\r\n\r\n`;
    expect(c.push(long.slice(0, 1_448), 9)).toEqual([]);
    expect(c.push(long.slice(1_448))).toEqual([expect.stringMatching(/^\^\[GET \/x+\] GET .*\(answers 9\)$/s)]);
    const tunnel = new Conversation();
    tunnel.push(UPGRADE);
    expect(tunnel.push('GET /', 9)).toEqual(['^GET / (answers 9, same session)']);
  });

  it('not within a turn, and not after CONNECT', () => {
    const c = new Conversation();
    c.push(UPGRADE);
    expect(c.push(GET)).toEqual([`^${GET} (same session)`]);
    const connect = 'CONNECT x:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n';
    const tunnel = new Conversation();
    expect(tunnel.push(connect)).toEqual([`^[CONNECT x:443] ${connect}$`]);
    expect(tunnel.push(GET, 9)).toEqual([`^${GET} (answers 9, same session)`]);
  });

  it('a body comes before the other protocol', () => {
    const upgrade = HEAD_OF_10.replace('\r\n\r\n', '\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n');
    const c = new Conversation();
    expect(c.push(`${upgrade}1234567890PRI`)).toEqual([`^[POST /p] ${upgrade}`, '1234567890$', '^PRI (same session)']);
  });
});

describe('limits', () => {
  it('a head that is too long goes through as it is', () => {
    const c = new Conversation({ headLimit: 40 });
    expect(c.push(GET)).toEqual([GOT]);
    const long = `GET /${'x'.repeat(40)}`;
    expect(c.push(long.slice(0, 30))).toEqual([]);
    expect(c.push(long.slice(30))).toEqual([
      `^${long.slice(0, 30)} (head-too-large)`,
      `${long.slice(30)} (head-too-large)`,
    ]);
  });

  it('heads of all connections share a budget', () => {
    const budget = { used: 0, limit: 30 };
    const first = new Conversation({ budget });
    const second = new Conversation({ budget });
    expect(first.push(GET.slice(0, 20))).toEqual([]);
    expect(second.push(GET.slice(0, 20))).toEqual([`^${GET.slice(0, 20)} (memory-cap)`]);
    expect(first.push(GET.slice(20))).toEqual([GOT]);
    expect(budget.used).toBe(0);
  });
});

describe('a body that is asked for', () => {
  const wantsBody = () => true;
  const whole = `${HEAD_OF_10}1234567890`;

  it('comes with its head, in one piece', () => {
    const c = new Conversation({ wantsBody });
    expect(c.push(HEAD_OF_10, 2)).toEqual([]);
    expect(c.push('12345', 3)).toEqual([]);
    expect(c.push(`67890${NEXT}`)).toEqual([`^[POST /p] ${whole}$ (answers 2)`, `${GOT_NEXT} (answers 3)`]);
    expect([c.settings.budget.used, c.settings.stats.bodiesHeld]).toEqual([0, 1]);
  });

  it('is asked for once a request that has one', () => {
    const asked: string[] = [];
    const c = new Conversation({ wantsBody: (request) => (asked.push(request.target), false) });
    expect(c.push(GET + whole)).toEqual([GOT, `^[POST /p] ${HEAD_OF_10}`, '1234567890$']);
    expect(asked).toEqual(['/p']);
  });

  it('is decoded', () => {
    const c = new Conversation({ wantsBody });
    const bytes = Buffer.from(`${CHUNKED}3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: v\r\n\r\n`);
    c.codec.push({ bytes, offset: 0, length: bytes.length, time: 0 as never, serverBytesSeen: 0 });
    const { message } = c.codec.next()!;
    expect(Buffer.from(message!.body!).toString()).toBe('abcde');
  });

  it('streams past when it is longer than the limit', () => {
    const c = new Conversation({ wantsBody, bodyLimit: 9 });
    expect(c.push(`${HEAD_OF_10}123`)).toEqual([`^[POST /p] ${HEAD_OF_10}`, '123']);
    expect(c.settings.stats.bodiesOverLimit).toBe(1);
  });

  it('streams past from where chunks add up to too much', () => {
    const c = new Conversation({ wantsBody, bodyLimit: 12 });
    expect(c.push(`${CHUNKED}3\r\nabc\r\n`)).toEqual([]);
    expect(c.push('3\r\nabc\r\n')).toEqual([`^[POST /c] ${CHUNKED}`, '3\r\nabc\r\n', '3\r\nabc\r\n']);
    expect(c.push(`0\r\n\r\n${NEXT}`)).toEqual(['0\r\n\r\n$', GOT_NEXT]);
    expect([c.settings.budget.used, c.settings.stats.bodiesOverLimit]).toEqual([0, 1]);
  });

  it('goes through as it is when its chunks are not sound', () => {
    const c = new Conversation({ wantsBody });
    expect(c.push(`${CHUNKED}3\r\nabc\r\n`)).toEqual([]);
    expect(c.push('x\r\n')).toEqual([`^${CHUNKED}3\r\nabc\r\n (invalid-chunk-size)`, 'x\r\n (invalid-chunk-size)']);
    expect(c.settings.budget.used).toBe(0);
  });

  it('is lost with its head in a gap', () => {
    const c = new Conversation({ wantsBody });
    c.push(`${HEAD_OF_10}12`);
    expect(c.codec.gap(3)).toBe(false);
    expect(c.push(`67890${NEXT}`)).toEqual([GOT_NEXT]);
    expect(c.skipped).toEqual([HEAD_OF_10.length + 10, 1]);
    expect(c.settings.budget.used).toBe(0);
  });

  it('is given out in part when the client ends in the middle', () => {
    const c = new Conversation({ wantsBody });
    c.push(`${HEAD_OF_10}12`);
    expect(c.end()).toEqual([`^[POST /p] ${HEAD_OF_10}`, '12']);
    expect(c.settings.budget.used).toBe(0);
  });
});

describe('the end of the client', () => {
  it('gives out a head that was begun', () => {
    const c = new Conversation();
    c.push('GET /a', 5);
    expect(c.end()).toEqual(['^GET /a (answers 5, unfinished-head)']);
    expect(c.settings.budget.used).toBe(0);
  });

  it('forgets empty lines, and what was being looked for', () => {
    const c = new Conversation();
    c.push(`${GET}\r\n`);
    expect(c.end()).toEqual([]);
    expect(c.skipped).toEqual([2, 0]);
    const midstream = new Conversation({}, false);
    midstream.push('GET /a');
    expect(midstream.end()).toEqual([]);
    expect(midstream.skipped).toEqual([6, 1]);
  });
});
