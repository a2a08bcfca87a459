import { describe, expect, it } from 'vitest';
import { CHUNKED, Conversation, GET, GOT, GOT_NEXT, HEAD_OF_10, NEXT } from './conversation.ts';

describe('a gap', () => {
  it('inside a body of known length costs that message only', () => {
    const c = new Conversation();
    c.push(`${HEAD_OF_10}12`);
    expect(c.codec.gap(3)).toBe(true);
    expect(c.push('67')).toEqual([]);
    expect(c.codec.gap(1)).toBe(false);
    expect(c.push(`90${NEXT}`)).toEqual([GOT_NEXT]);
    expect(c.skipped).toEqual([8, 0]);
  });

  it('to the very end of a body leaves the boundary known', () => {
    const c = new Conversation();
    c.push(`${HEAD_OF_10}12`);
    expect(c.codec.gap(8)).toBe(true);
    expect(c.push('GET /no-host HTTP/1.1\r\n\r\n')).toEqual(['^[GET /no-host] GET /no-host HTTP/1.1\r\n\r\n$']);
  });

  it('beyond the end of a body loses what lies behind, too', () => {
    const c = new Conversation();
    c.push(`${HEAD_OF_10}12`);
    expect(c.codec.gap(9)).toBe(true);
    expect(c.push(`ET /a HTTP/1.1\r\nHost: x\r\n\r\n${GET}`)).toEqual([]);
    expect(c.push(NEXT)).toEqual([GOT_NEXT]);
    expect(c.skipped).toEqual([8 + GET.length * 2, 1]);
  });

  it('inside a body after which the client leaves HTTP', () => {
    const upgrade = HEAD_OF_10.replace('\r\n\r\n', '\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n');
    const c = new Conversation();
    c.push(upgrade);
    expect(c.codec.gap(5)).toBe(true);
    expect(c.push('67890PRI')).toEqual(['^PRI (same session)']);
  });

  it('inside a head loses that message', () => {
    const c = new Conversation();
    c.push(GET.slice(0, 20));
    expect(c.codec.gap(3)).toBe(false);
    expect(c.push(GET.slice(23))).toEqual([]);
    expect(c.push(NEXT)).toEqual([GOT_NEXT]);
    expect(c.skipped).toEqual([GET.length, 1]);
    expect(c.settings.stats.resynchronised).toBe(1);
    expect(c.settings.budget.used).toBe(0);
  });

  it('between messages is a stretch of its own', () => {
    const c = new Conversation();
    c.push(GET);
    expect(c.codec.gap(100)).toBe(false);
    expect(c.push('the rest')).toEqual([]);
    expect(c.codec.gap(10)).toBe(false);
    expect(c.push(NEXT)).toEqual([GOT_NEXT]);
    expect(c.skipped).toEqual([118, 1]);
    expect(c.codec.gap(1)).toBe(false);
    expect(c.skipped).toEqual([119, 2]);
  });

  it('inside chunks is followed by a search', () => {
    const c = new Conversation();
    c.push(`${CHUNKED}5\r\nab`);
    expect(c.codec.gap(3)).toBe(true);
    expect(c.push('\r\n0\r\n\r\n')).toEqual([]);
    expect(c.push(NEXT)).toEqual([GOT_NEXT]);
    expect(c.skipped).toEqual([10, 0]);
  });

  it('in opaque bytes waits for the next turn', () => {
    const c = new Conversation();
    c.push('\x16\x03');
    expect(c.codec.gap(5)).toBe(true);
    expect(c.push('abc')).toEqual([]);
    expect(c.push('def', 1)).toEqual(['^def (answers 1, invalid-method)']);
    expect(c.skipped).toEqual([8, 0]);
  });
});

describe('looking for a request', () => {
  it('begins in the middle of a connection', () => {
    const c = new Conversation({}, false);
    expect(c.push('rest of a body')).toEqual([]);
    expect(c.push(GET, 3)).toEqual([`${GOT} (answers 3)`]);
    expect(c.push(NEXT)).toEqual([GOT_NEXT]);
    expect(c.skipped).toEqual([14, 1]);
  });

  it('believes only a whole head that begins a segment, with a host', () => {
    const c = new Conversation({}, false);
    expect(c.push(`x${GET}`)).toEqual([]);
    expect(c.push('GET /a HTTP/1.1\r\n\r\n')).toEqual([]);
    expect(c.push('GET /a HTTP/1.1\r\nHost: x\r\n\n')).toEqual([]);
    expect(c.push('GET is a word')).toEqual([]);
    expect(c.push('HTTP/1.1 200 OK\r\n\r\n')).toEqual([]);
    expect(c.push('GET /old HTTP/1.0\r\n\r\n')).toEqual(['^[GET /old] GET /old HTTP/1.0\r\n\r\n$']);
    expect(c.skipped[1]).toBe(1);
  });

  it('a head may lie in several segments', () => {
    const c = new Conversation({}, false);
    expect(c.push(GET.slice(0, 3))).toEqual([]);
    expect(c.push(GET.slice(3, 30))).toEqual([GOT]);
    expect(c.skipped).toEqual([0, 0]);
  });

  it('what only looked like the beginning of one does not hide the next', () => {
    const c = new Conversation({}, false);
    expect(c.push('POST')).toEqual([]);
    expect(c.push(NEXT, 4)).toEqual([`${GOT_NEXT} (answers 4)`]);
    expect(c.skipped).toEqual([4, 1]);
  });
});
