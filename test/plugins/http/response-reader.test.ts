/** HTTP's response side as tcpcopy drives it: requests as sent, bytes of a server, and what is told of them. */
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../plugins/http/index.ts';
import { HttpRequestCodec, HttpResponseReader, httpSettings, type HttpResponse } from '../../../plugins/http/index.ts';
import { instant } from '../../../src/core/time.ts';
import { byteByByte, text } from '../../support/codec-driving.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n';
const UNREADABLE = undefined;

function requestOf(line: string): HttpRequest {
  const codec = new HttpRequestCodec(true);
  const bytes = text(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`);
  codec.push({ bytes, offset: 0, length: bytes.length, time: instant(0), serverBytesSeen: 0 });
  return codec.next()!.message!;
}

interface Setup {
  /** Longest body held; `undefined`: nobody wants bodies. */
  readonly bodies?: number;
  readonly budget?: number;
}

class Conversation {
  readonly settings;
  readonly reader: HttpResponseReader;
  readonly told: string[] = [];

  constructor({ bodies, budget = 1 << 20 }: Setup = {}) {
    this.settings = httpSettings({
      budget: { used: 0, limit: budget },
      ...(bodies === undefined ? {} : { bodyLimit: bodies, wantsResponseBody: () => true }),
    });
    this.reader = new HttpResponseReader(this.settings);
  }

  sent(...lines: (string | undefined)[]): this {
    for (const line of lines) expect(this.reader.sent(line && requestOf(line))).toBe(true);
    return this;
  }

  say(chunk: Uint8Array): this {
    const lent = Uint8Array.from([1, ...chunk, 2]);
    this.reader.push(lent, 1, chunk.length);
    this.#drain();
    lent.fill(0x21);
    return this;
  }

  gap(length: number): this {
    this.reader.gap(length);
    this.#drain();
    return this;
  }

  end(): this {
    this.reader.end();
    this.#drain();
    return this;
  }

  #drain(): void {
    for (let said = this.reader.next(); said !== undefined; said = this.reader.next()) {
      const response = said.message as HttpResponse<HttpRequest>;
      const body = response.body === undefined ? '' : ` '${Buffer.from(response.body).toString('latin1')}'`;
      const to = response.request === undefined ? '' : `${response.request.path} `;
      this.told.push(`${to}${response.status}${body}${said.completes ? '' : ' …'}`);
    }
  }
}

/** The same, whole and byte by byte. */
function converse(setup: Setup, lines: readonly (string | undefined)[], bytes: string, end = false): Conversation {
  const whole = new Conversation(setup).sent(...lines).say(text(bytes));
  const cut = new Conversation(setup).sent(...lines);
  for (const byte of byteByByte(text(bytes))) cut.say(byte);
  if (end) {
    whole.end();
    cut.end();
  }
  expect(cut.told).toEqual(whole.told);
  expect([whole.settings.budget.used, cut.settings.budget.used]).toEqual([0, 0]);
  return whole;
}

describe('responses', () => {
  it('complete the requests they answer, in order', () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n';
    const { told, reader, settings } = converse({}, ['GET /a', 'HEAD /b', 'GET /c'], OK + head + CHUNKED);
    expect(told).toEqual(['/a 200', "/b 200 ''", '/c 200']);
    expect([reader.reading, reader.failure, reader.closes]).toEqual([true, undefined, false]);
    expect(settings.stats.responses).toBe(3);
  });

  it('do not, while they are informational, or cut short', () => {
    expect(converse({}, ['GET /a'], `HTTP/1.1 100 Continue\r\n\r\n${OK}`).told).toEqual(["/a 100 '' …", '/a 200']);
    expect(converse({}, ['GET /a'], OK.slice(0, -1), true).told).toEqual(['/a 200 …']);
    expect(converse({}, ['GET /a'], 'HTTP/1.0 200 OK\r\n\r\nall', true).told).toEqual(['/a 200']);
  });

  it('tell when the server will close', () => {
    const { told, reader } = converse({}, ['GET /a'], OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    expect([told, reader.reading, reader.closes, reader.failure]).toEqual([['/a 200'], false, true, undefined]);
  });

  it('may not be HTTP', () => {
    const { told, reader, settings } = converse({}, ['GET /a'], '220 smtp\r\n');
    expect([told, reader.reading, reader.failure]).toEqual([[], false, 'invalid-constant']);
    expect([...settings.stats.unreadable.all]).toEqual([['invalid-constant', 1]]);
  });

  it('are read up to what answers something else', () => {
    const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n';
    const upgraded = converse({}, ['GET /a', UNREADABLE], `${upgrade}not http`);
    expect([upgraded.told, upgraded.reader.reading, upgraded.reader.failure]).toEqual([
      ["/a 101 ''"],
      false,
      undefined,
    ]);
    const odd = converse({}, ['GET /a', UNREADABLE], `${OK}not http`);
    expect([odd.told, odd.reader.reading, odd.reader.failure]).toEqual([['/a 200'], false, undefined]);
    expect(new Conversation().sent(UNREADABLE).reader.reading).toBe(false);
  });
});

describe('bodies', () => {
  it('are there where they are wanted, without their framing', () => {
    const { told, settings } = converse({ bodies: 5 }, ['GET /a', 'GET /b', 'GET /c'], OK + CHUNKED + OK);
    expect(told).toEqual(["/a 200 'hello'", "/b 200 'abcde'", "/c 200 'hello'"]);
    expect(settings.stats.bodiesHeld).toBe(3);
    expect(converse({ bodies: 5 }, ['GET /a'], 'HTTP/1.0 200 OK\r\n\r\nall', true).told).toEqual(["/a 200 'all'"]);
  });

  it('stream past where they are too long, for one or for all', () => {
    const { told, settings } = converse({ bodies: 4 }, ['GET /a'], OK);
    expect([told, settings.stats.bodiesOverLimit]).toEqual([['/a 200'], 1]);
    expect(new Conversation({ bodies: 5, budget: 4 }).sent('GET /a').say(text(OK)).told).toEqual(['/a 200']);
    expect(converse({ bodies: 4 }, ['GET /b'], CHUNKED).told).toEqual(['/b 200']);
  });

  it('with a gap are only counted', () => {
    const head = OK.slice(0, -5);
    const talk = new Conversation({ bodies: 5 })
      .sent('GET /a', 'GET /b')
      .say(text(`${head}h`))
      .gap(3)
      .say(text(`o${OK}`));
    expect(talk.told).toEqual(['/a 200', "/b 200 'hello'"]);
    expect(talk.settings.budget.used).toBe(0);
  });
});

it('a gap anywhere else ends the reading', () => {
  for (const before of ['', 'HTTP/1.1 2', `${OK.slice(0, -5)}hell`, CHUNKED.slice(0, -9)]) {
    const talk = new Conversation({ bodies: 5 }).sent('GET /a', 'GET /b').say(text(before)).gap(2).say(text(OK));
    expect([talk.told, talk.reader.failure]).toEqual([[], 'bytes-missing']);
    expect(talk.settings.budget.used).toBe(0);
  }
});
