/** The parser of ioredis, redis-parser, beside ours: the same replies and the same arguments, for all of RESP2. */
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { RedisError, type RedisValue } from '../../../plugins/redis/index.ts';
import { FAILED, REPLY, ReplyScanner } from '../../../plugins/redis/reply-scanner.ts';
import { readValue } from '../../../plugins/redis/reply-value.ts';
import { captureStreams } from '../../support/capture-streams.ts';
import { seededRandom } from '../../support/damage.ts';
import { captureManifest, CAPTURES, type CaptureStream } from '../../support/shared-captures.ts';
import { cut } from '../../support/codec-driving.ts';
import { feed } from './transcript.ts';

interface ParserOptions {
  readonly returnReply: (reply: unknown) => void;
  readonly returnError: (error: Error) => void;
  readonly returnFatalError: (error: Error) => void;
  readonly returnBuffers?: boolean;
}
type Parser = new (options: ParserOptions) => { execute(bytes: Buffer): void };
/** It has no types of its own. */
const RedisParser = createRequire(import.meta.url)('redis-parser') as Parser;

/** What redis-parser gives for a stream, and whether it took all of it. */
function theirs(chunks: readonly Uint8Array[], returnBuffers: boolean): { values: unknown[]; failed: boolean } {
  const seen: { values: unknown[]; failed: boolean } = { values: [], failed: false };
  const parser = new RedisParser({
    returnReply: (reply) => seen.values.push(reply),
    returnError: (error) => seen.values.push(error),
    returnFatalError: () => (seen.failed = true),
    returnBuffers,
  });
  try {
    for (const chunk of chunks) if (!seen.failed) parser.execute(Buffer.from(chunk));
  } catch {
    // It throws at lengths that no array can have.
    seen.failed = true;
  }
  return seen;
}

function ours(chunks: readonly Uint8Array[]): { values: RedisValue[]; failed: boolean } {
  const scanner = new ReplyScanner();
  const values: RedisValue[] = [];
  let pending = Buffer.alloc(0);
  for (const chunk of chunks) {
    let from = 0;
    while (from < chunk.length) {
      const result = scanner.feed(chunk, from, chunk.length);
      if (result === FAILED) return { values, failed: true };
      pending = Buffer.concat([pending, chunk.subarray(from, scanner.position)]);
      from = scanner.position;
      if (result !== REPLY) continue;
      values.push(readValue(pending));
      pending = Buffer.alloc(0);
    }
  }
  return { values, failed: false };
}

/** An error of either as one of ours. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return value instanceof Error ? new RedisError(value.message) : value;
}

type Random = () => number;

function reply(random: Random, depth = 0): string {
  const text = 'x'.repeat(random() * 20) + (random() < 0.2 ? 'ü' : '');
  const length = Math.floor(random() * 4);
  switch (Math.floor(random() * (depth < 4 ? 8 : 6))) {
    case 0:
      return `+${text}\r\n`;
    case 1:
      return `-ERR ${text}\r\n`;
    case 2:
      return `:${Math.floor((random() - 0.5) * 2 ** 40)}\r\n`;
    case 3:
      return '$-1\r\n';
    case 4:
      return '*-1\r\n';
    case 5:
      return `$${Buffer.byteLength(text) + 2}\r\n${text}\r\n\r\n`;
    default:
      return `*${length}\r\n${Array.from({ length }, () => reply(random, depth + 1)).join('')}`;
  }
}

it('replies of every kind, nested and cut anywhere', () => {
  const random = seededRandom(11);
  for (let n = 0; n < 300; n++) {
    const bytes = Buffer.from(Array.from({ length: 1 + random() * 6 }, () => reply(random)).join(''));
    const chunks = cut(
      bytes,
      Array.from({ length: random() * 8 }, () => Math.floor(random() * bytes.length)),
    );
    const seen = theirs(chunks, false);
    expect(ours(chunks)).toEqual({ values: seen.values.map(plain), failed: seen.failed });
  }
});

interface RedisStream extends CaptureStream {
  readonly redis?: { readonly inline: number };
}

const STREAMS = captureManifest().flatMap(({ file, streams }) =>
  (streams as readonly RedisStream[])
    .filter(({ redis, complete }) => redis?.inline === 0 && complete === true)
    .map((stream) => ({ file, ...stream })),
);

it('the recordings: commands have the same arguments; replies the same values, up to the first of RESP3', async () => {
  const compared = { commands: 0, replies: 0 };
  for (const file of new Set(STREAMS.map((stream) => stream.file))) {
    const streams = await captureStreams(CAPTURES + file);
    for (const { c2s_sha256, s2c_sha256 } of STREAMS.filter((stream) => stream.file === file)) {
      const [client, server] = [streams.get(c2s_sha256)!, streams.get(s2c_sha256)!];
      // Empty ones are skipped by servers.
      const lists = theirs([client], true).values as (Buffer[] | null)[];
      const commands = lists.filter((args): args is Buffer[] => args !== null && args.length > 0);
      const segments = Array.from({ length: client.length / 1400 }, (_, i) => i * 1400);
      const own = feed(cut(client, segments), { end: true }).commands.filter((command) => command.complete);
      expect(own.map(({ args }) => args)).toEqual(commands.map((args) => args.map((arg) => arg.toString('latin1'))));
      const { values } = theirs([server], false);
      expect(ours(cut(server, [server.length >> 1])).values.slice(0, values.length)).toEqual(values.map(plain));
      compared.commands += commands.length;
      compared.replies += values.length;
    }
  }
  expect(compared.commands).toBeGreaterThan(1000);
  expect(compared.replies).toBeGreaterThan(1000);
}, 120_000);
