// Invariant: whatever bytes come, however cut, with whatever gaps: no byte of them is lost, changed or made up; messages
// end where llhttp alone ends them; and what was edited reads back as what was intended, and ends nothing elsewhere.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  HttpRequestCodec,
  HttpResponseCodec,
  httpSettings,
  type HttpPiece,
  type HttpRequest,
} from '../../plugins/http/index.ts';
import { nextInput } from '../../plugins/http/llhttp-instance.ts';
import { acquireParser, FAILED, MESSAGE_ENDS, NEED_MORE, releaseParser } from '../../plugins/http/llhttp.ts';
import {
  chunksOf,
  drain,
  pick,
  PieceAccount,
  push,
  pushWithGaps,
  repeat,
  type Random,
} from '../support/codec-fuzzing.ts';
import { fuzzRuns } from '../support/fuzzing.ts';
import { CAPTURES } from '../support/shared-captures.ts';

/** Inputs in all, in an ordinary run; twenty times as many: `FUZZ_SCALE=20 script/fuzz 0 test/fuzz/http.test.ts`. */
const RUNS = 50_000;

const TEMPLATES = [
  'GET /a?b=c HTTP/1.1\r\nHost: x\r\nCookie: a=b; c=d\r\n\r\n',
  'POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nhello world!',
  'POST /c HTTP/1.1\r\nhost:x\r\nTransfer-Encoding: chunked\r\n\r\n5;e=f\r\nhello\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n',
  'PUT /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc\r\n',
  'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05hello',
  'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n\x16\x03\x01',
  'GET http://h/p HTTP/1.0\r\nConnection: keep-alive\r\nX:\r\nY:  z \t\r\n\r\n',
  'HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
];
const RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nxyz',
];
/** What damage is made of: bytes that mean something. */
const TOKENS = [
  '\r\n',
  '\n',
  '\r',
  ' ',
  ':',
  '\t',
  '0',
  'f',
  '\0',
  '\xff',
  'Content-Length: 5\r\n',
  '\r\n\r\n',
  'chunked',
];

const requests = corpus('request', TEMPLATES);
const responses = corpus('response', RESPONSES);

function corpus(type: string, templates: readonly string[]): readonly Uint8Array[] {
  const vectors = ['http_llhttp', 'http_gunicorn', 'http_smuggler', 'http_picohttpparser'].flatMap((file) => {
    const path = `${CAPTURES}vectors/${file}.json`;
    const { vectors } = JSON.parse(readFileSync(path, 'utf8')) as { vectors: { type: string; input_b64: string }[] };
    return vectors.filter((v) => v.type.startsWith(type)).map((v) => Buffer.from(v.input_b64, 'base64'));
  });
  const { vectors: corpora } = JSON.parse(readFileSync(`${CAPTURES}vectors/fuzz_zeek_corpora.json`, 'utf8')) as {
    vectors: { protocol: string; chunks: { dir: string; b64: string }[] }[];
  };
  const direction = type === 'request' ? 'c2s' : 's2c';
  const zeek = corpora
    .filter(({ protocol }) => protocol === 'http')
    .map(({ chunks }) => chunks.filter(({ dir }) => dir === direction).map(({ b64 }) => Buffer.from(b64, 'base64')));
  // As many templates as vectors: most vectors are refused at once.
  const small = [...vectors, ...zeek.map((chunks) => Buffer.concat(chunks))].filter(
    ({ length }) => length > 0 && length < 2_000,
  );
  const own = small.map((_, i) => Buffer.from(templates[i % templates.length]!, 'latin1'));
  return [...small, ...own].map((bytes) => Uint8Array.from(bytes));
}

/** A few messages in a row, some of them damaged. */
function makeInput(random: Random, from: readonly Uint8Array[]): Uint8Array {
  const parts = Array.from({ length: 1 + random() * 3 }, () => pick(random, from));
  let bytes = Buffer.concat(parts);
  const damages = random() < 0.4 ? 0 : 1 + random() * 3;
  for (let n = 1; n < damages; n++) {
    const at = Math.floor(random() * bytes.length);
    const token = Buffer.from(random() < 0.3 ? String.fromCharCode(random() * 256) : pick(random, TOKENS), 'latin1');
    const removed = Math.floor(random() * 4);
    bytes = Buffer.concat([bytes.subarray(0, at), token, bytes.subarray(at + removed)]);
  }
  return Uint8Array.from(bytes);
}

/** Ends of the messages in `bytes` when llhttp reads it all in one go, body lengths included. */
function endsByLlhttp(bytes: Uint8Array): number[] {
  const ends: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const parser = acquireParser('request');
    const input = nextInput();
    let stop = parser.feed(input, bytes, at, bytes.length);
    if (stop !== NEED_MORE && stop !== FAILED) stop = parser.feed(input, bytes, parser.position, bytes.length);
    at = parser.position;
    const { upgrade, keepAlive } = parser;
    releaseParser(parser);
    if (stop !== MESSAGE_ENDS) break;
    ends.push(at);
    if (upgrade || !keepAlive) break;
  }
  return ends;
}

function edit(random: Random, request: HttpRequest): void {
  const r = random();
  if (r < 0.3)
    request.headers.set(pick(random, ['Host', 'cookie', 'X-New']), pick(random, ['', 'v', 'a b\tc', '\xe4']));
  else if (r < 0.4) request.headers.delete(pick(random, ['Host', 'Cookie', 'Expect', 'Connection']));
  else if (r < 0.5) request.headers.add('X-Added', String(r));
  else if (r < 0.6 && request.method !== 'CONNECT') request.method = pick(random, ['GET', 'POST', 'OPTIONS']);
  else if (r < 0.7 && request.method !== 'CONNECT') request.path = pick(random, ['/', '/new/path', '/%20;x']);
  else if (r < 0.8 && request.path.startsWith('/')) request.query.set(pick(random, ['b', 'ä']), 'v w');
  else if (request.body !== undefined && request.method !== 'CONNECT') {
    request.body = Uint8Array.from({ length: random() * 40 }, () => random() * 256);
  }
}

/** Edits after which the connection is used as before. */
function editKeepingConnection(random: Random, request: HttpRequest): void {
  const r = random();
  if (r < 0.4)
    request.headers.set(pick(random, ['Host', 'cookie', 'X-New']), pick(random, ['', 'v', 'a b\tc', '\xe4']));
  else if (r < 0.5) request.headers.delete(pick(random, ['Host', 'Cookie', 'Expect']));
  else if (r < 0.6) request.headers.add('X-Added', String(r));
  else if (request.method === 'CONNECT') return;
  else if (r < 0.7) request.path = pick(random, ['/', '/new/path', '/%20;x']);
  else if (r < 0.8 && request.path.startsWith('/')) request.query.set(pick(random, ['b', 'ä']), 'v w');
  else if (request.body !== undefined) request.body = Uint8Array.from({ length: random() * 40 }, () => random() * 256);
}

/** Reads back what an edited message was written as. */
function checkEdited(request: HttpRequest): void {
  const bytes = request.serialize();
  const codec = new HttpRequestCodec(true, httpSettings({ wantsBody: () => true }));
  push(codec, bytes, 0);
  const piece = codec.next();
  const again = piece?.message;
  expect({ whole: piece?.last, length: piece?.length, more: codec.next() }).toEqual({
    whole: true,
    length: bytes.length,
    more: undefined,
  });
  expect([again?.method, again?.target, again?.host]).toEqual([request.method, request.target, request.host]);
  expect([...again!.headers]).toEqual([...request.headers]);
  expect(Buffer.compare(again!.body!, request.body!)).toBe(0);
}

describe('request codec', { timeout: 3_600_000 }, () => {
  it('loses nothing, and ends messages where llhttp does', () => {
    let compared = 0;
    repeat(RUNS * 0.4, (random) => {
      const bytes = makeInput(random, requests);
      const settings = httpSettings(random() < 0.5 ? {} : { wantsBody: () => true, bodyLimit: random() * 60 });
      const codec = new HttpRequestCodec(true, settings);
      const ends: number[] = [];
      let [at, http, open] = [0, true, false];
      const take = (piece: HttpPiece) => {
        const found = piece.bytes.subarray(piece.offset, piece.offset + piece.length);
        if (Buffer.compare(found, bytes.subarray(at, at + piece.length)) !== 0) throw new Error(`other bytes at ${at}`);
        if (piece.length === 0 || (!piece.first && !open)) throw new Error(`a piece of nothing at ${at}`);
        at += piece.length;
        open = !piece.last;
        if (piece.unparsable !== undefined) http = false;
        if (http && piece.last) ends.push(at);
      };
      for (const chunk of chunksOf(random, bytes, 200)) {
        push(codec, chunk, 0);
        drain(codec, take);
      }
      codec.end();
      drain(codec, take);
      expect(at + codec.skippedBytes).toBe(bytes.length);
      expect(ends).toEqual(endsByLlhttp(bytes).slice(0, ends.length));
      expect(settings.budget.used).toBe(0);
      compared += ends.length;
    });
    expect(compared).toBeGreaterThan(fuzzRuns(RUNS * 0.1));
  });

  it('edited messages read back as intended', () => {
    let edited = 0;
    repeat(RUNS * 0.2, (random) => {
      const codec = new HttpRequestCodec(true, httpSettings({ wantsBody: () => true }));
      for (const chunk of chunksOf(random, makeInput(random, requests), 200)) {
        push(codec, chunk, 0);
        drain(codec, ({ message }) => {
          if (message?.body === undefined) return;
          for (let n = random() * 3; n > 0; n--) edit(random, message);
          if (!message.changed) return;
          edited++;
          checkEdited(message);
        });
      }
    });
    expect(edited).toBeGreaterThan(fuzzRuns(RUNS * 0.02));
  });

  it('edited heads of a stream leave its other bytes and all its boundaries where they were', () => {
    let edited = 0;
    repeat(RUNS * 0.2, (random) => {
      const wantsBody = random() < 0.5 ? undefined : () => random() < 0.5;
      const codec = new HttpRequestCodec(true, httpSettings({ wantsBody }));
      const out: Uint8Array[] = [];
      const ends: number[] = [];
      let [at, http] = [0, true];
      const take = (piece: HttpPiece) => {
        const { message } = piece;
        if (message !== undefined) {
          for (let n = random() * 3; n > 1; n--) editKeepingConnection(random, message);
          if (message.changed) edited++;
          piece.encode();
        }
        if (piece.unparsable !== undefined) http = false;
        out.push(piece.bytes.slice(piece.offset, piece.offset + piece.length));
        at += piece.length;
        if (http && piece.last) ends.push(at);
      };
      for (const chunk of chunksOf(random, makeInput(random, requests), 200)) {
        push(codec, chunk, 0);
        drain(codec, take);
      }
      codec.end();
      drain(codec, take);
      expect(ends).toEqual(endsByLlhttp(Buffer.concat(out)).slice(0, ends.length));
    });
    expect(edited).toBeGreaterThan(fuzzRuns(RUNS * 0.02));
  });

  it('gaps and starts in the middle are accounted for, and messages are what was sent', () => {
    let resynchronised = 0;
    repeat(RUNS * 0.2, (random) => {
      const bytes = makeInput(random, requests);
      const settings = httpSettings(random() < 0.5 ? {} : { wantsBody: () => true });
      const codec = new HttpRequestCodec(random() < 0.5, settings);
      const account = new PieceAccount(bytes);
      let opaque = false;
      const take = (piece: HttpPiece) => {
        if (piece.first) opaque = piece.message === undefined;
        account.take(piece);
      };
      const lost = (broken: boolean) => {
        // Opaque bytes before a request that is not whole yet have ended where it began.
        if (broken || !opaque) expect(broken).toBe(account.open);
        account.open = false;
      };
      pushWithGaps(random, codec, chunksOf(random, bytes, 200), take, lost);
      expect(account.taken + codec.skippedBytes).toBe(bytes.length);
      expect(settings.budget.used).toBe(0);
      resynchronised += settings.stats.resynchronised;
    });
    expect(resynchronised).toBeGreaterThan(fuzzRuns(RUNS * 0.01));
  });
});

describe('response codec', { timeout: 3_600_000 }, () => {
  it('reads the same however the bytes are cut', () => {
    repeat(RUNS * 0.2, (random) => {
      const bytes = makeInput(random, responses);
      const methods = Array.from({ length: 3 }, () => pick(random, ['GET', 'GET', 'HEAD', 'CONNECT']));
      const read = (chunks: Iterable<Uint8Array>) => {
        const codec = new HttpResponseCodec<number>();
        methods.forEach((method, i) => codec.expect(method, i));
        const told: unknown[] = [];
        const drainAll = () => {
          for (let r = codec.next(); r !== undefined; r = codec.next()) {
            told.push([r.request, r.status, r.bodyLength, r.bodyWireLength, r.end, ...r.headers]);
          }
        };
        for (const chunk of chunks) {
          codec.push(chunk, 0, chunk.length);
          drainAll();
        }
        codec.end();
        drainAll();
        return JSON.stringify([told, codec.failure, codec.completed]);
      };
      expect(read(chunksOf(random, bytes, 200))).toBe(read([bytes]));
    });
  });
});
