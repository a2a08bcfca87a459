/** Every Redis stream of the recordings against what is known of it. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { captureManifest, CAPTURES, type CaptureStream } from '../../support/shared-captures.ts';
import { captureStreams } from '../../support/capture-streams.ts';
import { redisSettings, RedisReplyReader } from '../../../plugins/redis/index.ts';
import { byteByByte, cut } from '../../support/codec-driving.ts';
import { feed, type Transcript } from './transcript.ts';

interface RedisStream extends CaptureStream {
  readonly redis_commands?: number;
  readonly redis?: {
    readonly multibulk: number;
    readonly inline: number;
    readonly names: Record<string, number>;
    readonly canon_sha256: string;
  };
}

/** redis-server closed this one at the seventh line, whose quotes do not balance; the manifest counts lines. */
const CLOSED = 'redis/zeek__redis_pipeline-quotes.pcap';

/** The server of this one answers with something else than RESP. */
const OTHER_SERVER = 'redis/zeek__redis_almost-resp.pcap';

const FILES = captureManifest()
  .map(({ file, streams }) => ({ file, streams: (streams as readonly RedisStream[]).filter((s) => s.redis) }))
  .filter(({ streams }) => streams.length > 0);

it('there are recordings', () => {
  expect(FILES.flatMap(({ streams }) => streams).length).toBeGreaterThan(60);
});

it.each(FILES.map(({ file, streams }) => [file, streams] as const))('%s', async (file, wanted) => {
  const streams = await captureStreams(CAPTURES + file);
  for (const { stream, redis, ...known } of wanted) {
    const client = streams.get(known.c2s_sha256)!;
    const t = feed(cut(client, every(1400, client.length)), { end: true });
    const complete = t.commands.filter((c) => c.complete);
    if (file === CLOSED) {
      expect([complete.length, t.unparsable]).toEqual([6, 'unbalanced-quotes']);
      continue;
    }
    const inline = complete.filter((c) => c.command.inline).length;
    expect({ stream, commands: complete.length, inline, canon: canon(t) }).toEqual({
      stream,
      commands: known.redis_commands,
      inline: redis!.inline,
      canon: redis!.canon_sha256,
    });
    // Nothing is lost; what redis-server skips is counted.
    expect(t.bytes.length + t.codec.skippedBytes).toBe(client.length);
    if (known.complete === true) {
      const failure = file === OTHER_SERVER ? 'invalid-length' : undefined;
      expect(unanswered(t, streams.get(known.s2c_sha256)!)).toEqual([0, failure]);
    }
    if (client.length < 20_000) expect(canon(feed(byteByByte(client), { end: true }))).toBe(redis!.canon_sha256);
  }
});

/** Commands that the server's bytes leave without a whole reply, and what was wrong with those bytes. */
function unanswered(t: Transcript, server: Uint8Array): [number, string | undefined] {
  const reader = new RedisReplyReader(redisSettings());
  let waiting = t.commands.filter((c) => c.complete && reader.sent(c.command)).length;
  for (const chunk of cut(server, every(1000, server.length))) {
    reader.push(chunk, 0, chunk.length);
    for (let said = reader.next(); said !== undefined; said = reader.next()) if (said.completes) waiting--;
  }
  return [waiting, reader.failure];
}

function every(length: number, end: number): number[] {
  return Array.from({ length: Math.floor(end / length) }, (_, i) => (i + 1) * length);
}

/** Arguments joined by NUL, a line each; inline requests as they were typed. */
function canon(t: Transcript): string {
  const hash = createHash('sha256');
  for (const { command, args, complete } of t.commands) {
    if (!complete) continue;
    const line = Buffer.from(command.serialize())
      .toString('latin1')
      .replace(/\r?\n$/, '');
    hash.update(Buffer.from(command.inline ? `INLINE ${line}\n` : `${args.join('\0')}\n`, 'latin1'));
  }
  return hash.digest('hex');
}
