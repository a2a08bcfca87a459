/** Every Redis stream of the recordings against what is known of it. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { captureManifest, CAPTURES, type CaptureStream } from '../../support/shared-captures.ts';
import { captureStreams } from '../http/capture-streams.ts';
import { byteByByte, cut } from '../http/transcript.ts';
import { feed, type Transcript } from './transcript.ts';

interface RedisStream extends CaptureStream {
  readonly redis_commands?: number;
  readonly redis?: { readonly multibulk: number; readonly inline: number; readonly names: Record<string, number>; readonly canon_sha256: string };
}

/** redis-server closed this one at the seventh line, whose quotes do not balance; the manifest counts lines. */
const CLOSED = 'redis/zeek__redis_pipeline-quotes.pcap';

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
    if (client.length < 20_000) expect(canon(feed(byteByByte(client), { end: true }))).toBe(redis!.canon_sha256);
  }
});

function every(length: number, end: number): number[] {
  return Array.from({ length: Math.floor(end / length) }, (_, i) => (i + 1) * length);
}

/** Arguments joined by NUL, a line each; inline requests as they were typed. */
function canon(t: Transcript): string {
  const hash = createHash('sha256');
  for (const { command, args, complete } of t.commands) {
    if (!complete) continue;
    const line = Buffer.from(command.serialize()).toString('latin1').replace(/\r?\n$/, '');
    hash.update(Buffer.from(command.inline ? `INLINE ${line}\n` : `${args.join('\0')}\n`, 'latin1'));
  }
  return hash.digest('hex');
}
