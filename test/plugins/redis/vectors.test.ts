/** Requests with what redis-server 7.0.15 did on them: as many answers as commands, and a close where they are none. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../support/damage.ts';
import { CAPTURES } from '../../support/shared-captures.ts';
import { byteByByte, cut, text } from '../../support/codec-driving.ts';
import { feed, resp, type Transcript } from './transcript.ts';

interface Vector {
  readonly id: string;
  readonly request_b64: string;
  readonly redis_7_0_15: { readonly reply_b64: string; readonly connection_closed: boolean };
}

const VECTORS = (
  JSON.parse(readFileSync(`${CAPTURES}vectors/resp_requests.json`, 'utf8')) as { vectors: readonly Vector[] }
).vectors.map((v) => ({ ...v, id: v.id.replace('resp-request:', ''), bytes: Buffer.from(v.request_b64, 'base64') }));

/** Closed by a command that is one, not by a protocol error. */
const CLOSING_COMMANDS = ['http-post-guard'];
/** Commands that redis-server has not answered: it is blocked, or was told not to. */
const UNANSWERED: Readonly<Record<string, number>> = { 'blocking-pipeline': 2, 'reply-skip': 2, 'http-post-guard': 1 };

/** Answers at the top level; the vectors have no nested ones but EXEC's, and those of errors end with the line. */
function countReplies(reply: string): number {
  let count = 0;
  for (let at = 0, inner = 0; at < reply.length;) {
    const end = reply.indexOf('\r\n', at);
    const number = Number(reply.slice(at + 1, end));
    const type = reply[at];
    at = end + 2 + (type === '$' && number >= 0 ? number + 2 : 0);
    if (inner > 0) inner--;
    else count++;
    if (type === '*') inner += number;
  }
  return count;
}

function told(t: Transcript): string {
  return JSON.stringify([t.commands.map(({ args, complete }) => [args, complete]), t.raw, t.refused, t.unparsable]);
}

describe('vectors', () => {
  it('are all here', () => expect(VECTORS.length).toBeGreaterThanOrEqual(29));

  it.each(VECTORS.map((v) => [v.id, v] as const))('%s: as many commands as answers', (id, vector) => {
    const reply = Buffer.from(vector.redis_7_0_15.reply_b64, 'base64').toString('latin1');
    const protocolError = /-ERR Protocol error[^\r]*\r\n$/.test(reply);
    const t = feed([vector.bytes]);
    const complete = t.commands.filter((c) => c.complete).length;
    expect(complete).toBe(countReplies(reply) - (protocolError ? 1 : 0) + (UNANSWERED[id] ?? 0));
    const closes = vector.redis_7_0_15.connection_closed && !CLOSING_COMMANDS.includes(id);
    // A NUL in a line hides its end from redis-server, which waits for ever: no command follows either.
    const hides = t.unparsable === 'nul-in-line';
    expect(t.unparsable !== undefined && !hides && t.unparsable !== 'after-close').toBe(closes && !hides);
  });

  it.each(VECTORS.map((v) => [v.id, v] as const))('%s: the same however it is cut', (_, { bytes }) => {
    const random = seededRandom(1);
    const whole = told(feed([bytes], { end: true }));
    const cuts = Array.from({ length: bytes.length > 4000 ? 5 : 50 }, () =>
      cut(
        bytes,
        Array.from({ length: 1 + random() * 6 }, () => Math.floor(random() * bytes.length)),
      ),
    );
    for (const chunks of [byteByByte(bytes), ...cuts]) {
      const t = feed(chunks, { end: true });
      expect(told(t)).toBe(whole);
      expect(t.bytes.length + t.codec.skippedBytes).toBe(bytes.length);
    }
  });

  it('are the same with a command behind them', () => {
    for (const { bytes } of VECTORS) {
      const alone = feed([bytes]);
      if (alone.codec.skippedBytes + alone.bytes.length < bytes.length) continue;
      const more = feed([Uint8Array.from([...bytes, ...text(resp('PING'))])]);
      const count = alone.commands.length;
      expect(more.commands.slice(0, count).map((c) => c.args)).toEqual(alone.commands.map((c) => c.args));
      const follows = alone.unparsable === undefined && alone.commands.at(-1)?.args[0] !== 'POST' ? 1 : 0;
      expect(more.commands.length).toBe(count + follows);
    }
  });
});
