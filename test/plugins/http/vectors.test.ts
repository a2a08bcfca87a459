/**
 * Vectors of other parsers' test suites. The rule: report the same messages with the same ends as llhttp, or none;
 * never others.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HttpResponseCodec } from '../../../plugins/http/index.ts';
import { seededRandom } from '../../support/damage.ts';
import { CAPTURES } from '../../support/shared-captures.ts';
import { byteByByte, cut, text } from '../../support/codec-driving.ts';
import { bodyOf, feed, type Transcript } from './transcript.ts';

interface Vector {
  readonly id: string;
  readonly type: string;
  readonly input_b64: string;
  readonly log?: readonly string[];
  /** Of picohttpparser: 0 for a whole head, else -1 or -2; and the content of chunks. */
  readonly expect?: { readonly ret?: string; readonly decoded_b64?: string };
  readonly oracle_node_llhttp?: {
    readonly complete: number;
    readonly error: string | null;
    readonly body_bytes: number;
    /** Cut off after 100 characters of target. */
    readonly lines: readonly string[];
  };
}

/** What is refused here and read by llhttp; more than that would be too strict. */
const STRICTER = ['other-version', 'invalid-transfer-encoding'];
const LINE_LENGTH = 100;
/** How many of each file are read just as llhttp reads them, and how many are refused beyond that. */
const FILES = [
  ['http_llhttp', 81, 4],
  ['http_gunicorn', 65, 5],
  ['http_smuggler', 394, 0],
  ['http_picohttpparser', 18, 0],
] as const;

function vectors(file: string): readonly Vector[] {
  const path = `${CAPTURES}vectors/${file}.json`;
  return (JSON.parse(readFileSync(path, 'utf8')) as { vectors: Vector[] }).vectors;
}

function inputOf(vector: Vector): Uint8Array {
  return Uint8Array.from(Buffer.from(vector.input_b64, 'base64'));
}

/** What came out, as text: comparing texts is quick. */
function told(t: Transcript): readonly string[] {
  const messages = t.messages.map((m) => {
    const body = Buffer.from(bodyOf(m)).toString('latin1');
    return JSON.stringify([m.line, m.head, body, m.complete, [...m.request.headers]]);
  });
  return [...messages, JSON.stringify([t.unparsable, t.rawBytes, Buffer.from(t.bytes).toString('latin1')])];
}

describe.each(FILES)('%s', (file, same, stricter) => {
  const requests = vectors(file).filter((v) => v.type.startsWith('request') && v.oracle_node_llhttp !== undefined);

  it('is read as llhttp reads it, or refused', () => {
    const counts = { same: 0, stricter: 0 };
    for (const vector of requests) {
      const bytes = inputOf(vector);
      const oracle = vector.oracle_node_llhttp!;
      const t = feed([bytes], { settings: { wantsBody: () => true }, end: true });
      const lines = t.messages.map((m) => m.line.slice(0, LINE_LENGTH));
      const complete = t.messages.filter((m) => m.complete).length;
      if (STRICTER.includes(t.unparsable ?? '') && oracle.error === null) {
        counts.stricter++;
        expect([vector.id, lines]).toEqual([vector.id, oracle.lines.slice(0, lines.length)]);
        continue;
      }
      counts.same++;
      const body = t.messages.reduce((sum, m) => sum + bodyOf(m).length, 0);
      // Of a chunked body that is not complete, the wire says more than the content.
      const countable = oracle.error === null && complete === lines.length;
      const found = { lines, complete, body: countable ? body : 'any', failed: t.unparsable !== undefined };
      const unfinished = t.unparsable === 'unfinished-head';
      // A message llhttp gave up on in its body was begun, and is not one for who asked for it whole.
      const wanted = oracle.lines.slice(0, found.failed ? lines.length : undefined).map((l) => l.slice(0, LINE_LENGTH));
      expect({ id: vector.id, ...found }).toEqual({
        id: vector.id,
        lines: wanted,
        complete: oracle.complete,
        body: countable ? oracle.body_bytes : 'any',
        failed: oracle.error !== null || unfinished,
      });
      expect(oracle.lines.length - wanted.length).toBeLessThanOrEqual(1);
    }
    expect(counts).toEqual({ same, stricter });
  });

  it('gives the same however it is cut', () => {
    const random = seededRandom(1);
    for (const vector of requests) {
      const bytes = inputOf(vector);
      for (const wantsBody of [undefined, () => true]) {
        const settings = { settings: { wantsBody } };
        const whole = told(feed([bytes], settings));
        const cuts = Array.from({ length: bytes.length > 4000 ? 5 : 25 }, () =>
          cut(
            bytes,
            Array.from({ length: 1 + random() * 6 }, () => Math.floor(random() * bytes.length)),
          ),
        );
        for (const chunks of [byteByByte(bytes), ...cuts]) {
          const found = told(feed(chunks, settings));
          expect([vector.id, ...found].join('\n')).toBe([vector.id, ...whole].join('\n'));
        }
      }
    }
  });

  it('gives the same with bytes behind it', () => {
    for (const vector of requests) {
      const bytes = inputOf(vector);
      const alone = feed([bytes]);
      if (alone.bytes.length < bytes.length || alone.messages.some((m) => !m.complete)) continue;
      const t = feed([Uint8Array.from([...bytes, ...text('GET /behind HTTP/1.1\r\n\r\n')])]);
      const count = alone.messages.length;
      expect(told(t).slice(0, count)).toEqual(told(alone).slice(0, count));
      if (alone.unparsable !== undefined) expect(t.messages.length).toBe(count);
    }
  });
});

describe('vectors of parts of messages', () => {
  const parts = vectors('http_picohttpparser').filter((v) => v.oracle_node_llhttp === undefined);

  it('chunked bodies have the same content, or are refused', () => {
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    const bodies = parts.filter(({ type }) => type === 'chunked-body');
    expect(bodies).toHaveLength(5);
    let read = 0;
    for (const { id, input_b64, expect: wanted } of bodies) {
      const input = Uint8Array.from([...text(head), ...Buffer.from(input_b64, 'base64')]);
      const [message] = feed([input], { settings: { wantsBody: () => true } }).messages;
      if (message?.complete !== true) continue;
      read++;
      expect([id, Buffer.from(bodyOf(message)).toString('base64')]).toEqual([id, wanted!.decoded_b64]);
    }
    expect(read).toBe(1);
  });

  it('heads of responses are read only where they are whole and right', () => {
    const heads = parts.filter(({ type }) => type === 'response-head');
    expect(heads).toHaveLength(13);
    const read = heads.filter((vector) => {
      const codec = new HttpResponseCodec();
      const bytes = inputOf(vector);
      codec.push(bytes, 0, bytes.length);
      codec.next();
      codec.end();
      return codec.next() !== undefined;
    });
    expect(read.length).toBeGreaterThan(1);
    expect(read.filter((vector) => vector.expect!.ret !== '0')).toEqual([]);
  });
});

describe('the logs of llhttp', () => {
  const logged = vectors('http_llhttp').filter((v) => v.log !== undefined);

  it('end requests where they end here', () => {
    let compared = 0;
    for (const vector of logged.filter((v) => v.type === 'request')) {
      const t = feed([inputOf(vector)]);
      if (STRICTER.includes(t.unparsable ?? '')) continue;
      const ends = t.messages.filter((m) => m.complete).map((m) => m.end);
      expect([vector.id, ends]).toEqual([vector.id, endsIn(vector)]);
      compared += ends.length;
    }
    expect(compared).toBe(38);
  });

  it('end responses where they end here', () => {
    let compared = 0;
    for (const vector of logged.filter((v) => v.type === 'response')) {
      const bytes = inputOf(vector);
      const ends: number[] = [];
      const codec = new HttpResponseCodec();
      for (const at of bytes.keys()) {
        codec.push(bytes, at, 1);
        if (codec.next() !== undefined) ends.push(at + 1);
      }
      const wanted = endsIn(vector).slice(0, ends.length);
      expect([vector.id, ends]).toEqual([vector.id, wanted]);
      compared += ends.length;
    }
    expect(compared).toBe(19);
  });
});

function endsIn(vector: Vector): number[] {
  return vector.log!.flatMap((line) => {
    const match = /^off=(\d+) message complete/.exec(line);
    return match === null ? [] : [Number(match[1])];
  });
}
