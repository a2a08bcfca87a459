// Invariant: whatever bytes come, however cut, with whatever gaps: no byte of them is lost, changed or made up; commands
// end where a dull reader says; a command that was edited reads back as intended; replies end in the same places however
// they are cut.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RedisCommandCodec, redisSettings, type RedisCommand, type RedisPiece } from '../../plugins/redis/index.ts';
import { splitInline } from '../../plugins/redis/inline-arguments.ts';
import { FAILED, REPLY, ReplyScanner } from '../../plugins/redis/reply-scanner.ts';
import { readValue } from '../../plugins/redis/reply-value.ts';
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

/** Inputs in all, in an ordinary run. */
const RUNS = 30_000;

const REQUESTS = [
  '*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n',
  '*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n',
  '*1\r\n$4\r\nPING\r\n',
  '*5\r\n$4\r\nMSET\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$0\r\n\r\n',
  '*4\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n1\r\n$1\r\nk\r\n',
  '*2\r\n$6\r\nSELECT\r\n$1\r\n2\r\n',
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$22\r\n*1\r\n$4\r\nPING\r\n*0\r\n\r\n.\r\n',
  "SET k \"a \\x41\\n\" 'it\\'s'\r\n",
  'PING\r\n',
  '\r\n*0\r\n*-1\r\n',
  'QUIT\r\n',
];
const REPLIES = [
  '+OK\r\n',
  '-ERR no\r\n',
  ':12\r\n',
  '$5\r\nhello\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*2\r\n$1\r\na\r\n*2\r\n:1\r\n*0\r\n',
  '%1\r\n+a\r\n~2\r\n#t\r\n_\r\n',
  '|1\r\n+ttl\r\n:3\r\n,1.5\r\n',
  '>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n',
  '=5\r\ntxt:a\r\n',
  '!3\r\nERR\r\n',
  '(123456789012345678901234567890\r\n',
];
/** What damage is made of: bytes that mean something. */
const TOKENS = [
  '\r\n',
  '\r',
  '\n',
  '*',
  '$',
  '-',
  '0',
  '1',
  '9',
  '+',
  ' ',
  '"',
  "'",
  '\\',
  '\0',
  '\xff',
  '%',
  '|',
  '>',
];

const requests = [...REQUESTS.map((text) => Buffer.from(text, 'latin1')), ...vectors()];
const replies = REPLIES.map((text) => Buffer.from(text, 'latin1'));

function vectors(): readonly Buffer[] {
  const { vectors } = JSON.parse(readFileSync(`${CAPTURES}vectors/resp_requests.json`, 'utf8')) as {
    vectors: readonly { readonly request_b64: string }[];
  };
  return vectors.map((v) => Buffer.from(v.request_b64, 'base64')).filter((bytes) => bytes.length < 300);
}

/** A few messages in a row, some of them damaged. */
function makeInput(random: Random, from: readonly Buffer[]): Uint8Array {
  let bytes = Buffer.concat(Array.from({ length: 1 + random() * 5 }, () => pick(random, from)));
  const damages = random() < 0.4 ? 0 : random() * 4;
  for (let n = 1; n < damages; n++) {
    const at = Math.floor(random() * bytes.length);
    const token = Buffer.from(random() < 0.3 ? String.fromCharCode(random() * 256) : pick(random, TOKENS), 'latin1');
    bytes = Buffer.concat([bytes.subarray(0, at), token, bytes.subarray(at + Math.floor(random() * 4))]);
  }
  return Uint8Array.from(bytes);
}

/** Arguments of the commands in `bytes`, read the plain way: everything there, text by text. */
function dullCommands(bytes: Uint8Array): string[][] {
  let text = Buffer.from(bytes).toString('latin1');
  const commands: string[][] = [];
  for (;;) {
    if (text === '') return commands;
    if (!text.startsWith('*')) {
      const line = /^[^\n\0]*\n/.exec(text)?.[0];
      if (line === undefined) return commands;
      const args = splitInline(Buffer.from(line, 'latin1'), 0, line.length - 1);
      if (args === undefined) return commands;
      text = text.slice(line.length);
      if (args.length === 0) continue;
      commands.push(args.map((arg) => Buffer.from(arg).toString('latin1')));
    } else {
      const head = /^\*(-?[1-9]\d{0,17}|0)\r[^]/.exec(text);
      if (head === null || Number(head[1]) > 2 ** 31 - 1) return commands;
      text = text.slice(head[0].length);
      const args: string[] = [];
      for (let n = Number(head[1]); n > 0; n--) {
        const bulk = /^\$([1-9]\d{0,17}|0)\r[^]/.exec(text);
        const length = Number(bulk?.[1] ?? NaN);
        if (!(length <= 512 << 20) || text.length < bulk![0].length + length + 2) return commands;
        args.push(text.slice(bulk![0].length, bulk![0].length + length));
        text = text.slice(bulk![0].length + length + 2);
      }
      if (Number(head[1]) <= 0) continue;
      commands.push(args);
    }
    if (/^(QUIT|POST|HOST:)$/i.test(commands.at(-1)?.[0] ?? '')) return commands;
  }
}

function edit(random: Random, command: RedisCommand): void {
  const r = random();
  if (r < 0.4 && command.keyPositions !== undefined) command.mapKeys((key) => Buffer.concat([Buffer.from('p:'), key]));
  else if (r < 0.7) command.set(Math.floor(random() * command.length), pick(random, ['', 'x', 'ü', '\r\n', '*1\r\n']));
  else command.replace([...command.args, 'more']);
}

describe('command codec', { timeout: 3_600_000 }, () => {
  it('loses nothing, and reads the commands that a dull reader reads', () => {
    let compared = 0;
    repeat(RUNS * 0.4, (random) => {
      const bytes = makeInput(random, requests);
      const settings = redisSettings(random() < 0.7 ? {} : { commandLimit: 10 + random() * 60 });
      const codec = new RedisCommandCodec(true, settings);
      const read: string[][] = [];
      let [at, open, skipped, whole] = [0, false, 0, true];
      const take = (piece: RedisPiece) => {
        // What is skipped lies before the piece.
        at += codec.skippedBytes - skipped;
        skipped = codec.skippedBytes;
        const found = piece.bytes.subarray(piece.offset, piece.offset + piece.length);
        if (Buffer.compare(found, bytes.subarray(at, at + piece.length)) !== 0) throw new Error(`other bytes at ${at}`);
        if (piece.length === 0 || (!piece.first && !open)) throw new Error(`a piece of nothing at ${at}`);
        at += piece.length;
        open = !piece.last;
        if (piece.message?.whole === false) whole = false;
        if (piece.message?.whole === true) read.push(piece.message.args.map((a) => Buffer.from(a).toString('latin1')));
      };
      for (const chunk of chunksOf(random, bytes)) {
        push(codec, chunk, 0);
        drain(codec, take);
      }
      codec.end();
      drain(codec, take);
      expect(at - skipped + codec.skippedBytes).toBe(bytes.length);
      if (whole) expect(read).toEqual(dullCommands(bytes));
      expect(settings.budget.used).toBe(0);
      compared += read.length;
    });
    expect(compared).toBeGreaterThan(fuzzRuns(RUNS * 0.2));
  });

  it('edited commands read back as intended', () => {
    let edited = 0;
    repeat(RUNS * 0.15, (random) => {
      const codec = new RedisCommandCodec(true);
      for (const chunk of chunksOf(random, makeInput(random, requests))) {
        push(codec, chunk, 0);
        drain(codec, ({ message }) => {
          if (message === undefined) return;
          edit(random, message);
          if (!message.changed) return;
          edited++;
          const bytes = message.serialize();
          const again = new RedisCommandCodec(true);
          push(again, bytes, 0);
          const piece = again.next();
          expect([piece?.length, piece?.last]).toEqual([bytes.length, true]);
          expect(piece!.message!.args.map((a) => Buffer.from(a))).toEqual(message.args.map((a) => Buffer.from(a)));
          expect(again.next()).toBeUndefined();
        });
      }
    });
    expect(edited).toBeGreaterThan(fuzzRuns(RUNS * 0.05));
  });

  it('gaps and starts in the middle are accounted for, and commands are what was sent', () => {
    let resynchronised = 0;
    repeat(RUNS * 0.25, (random) => {
      const bytes = makeInput(random, requests);
      const settings = redisSettings(random() < 0.5 ? {} : { commandLimit: 10 + random() * 60 });
      const codec = new RedisCommandCodec(random() < 0.5, settings);
      const account = new PieceAccount(bytes);
      const lost = (broken: boolean) => {
        expect(broken).toBe(account.open);
        account.open = false;
      };
      pushWithGaps(random, codec, chunksOf(random, bytes), (piece) => account.take(piece), lost);
      expect(account.taken + codec.skippedBytes).toBe(bytes.length);
      expect(settings.budget.used).toBe(0);
      resynchronised += settings.stats.resynchronised;
    });
    expect(resynchronised).toBeGreaterThan(fuzzRuns(RUNS * 0.01));
  });
});

describe('replies', { timeout: 3_600_000 }, () => {
  it('end in the same places however the bytes are cut, and each has a value', () => {
    let values = 0;
    repeat(RUNS * 0.2, (random) => {
      const bytes = makeInput(random, replies);
      const endsOf = (chunks: Iterable<Uint8Array>): string => {
        const scanner = new ReplyScanner();
        const ends: (number | string)[] = [];
        let before = 0;
        for (const chunk of chunks) {
          for (let at = 0; at < chunk.length; at = scanner.position) {
            const result = scanner.feed(chunk, at, chunk.length);
            if (result === FAILED) return JSON.stringify([...ends, scanner.failure, before + scanner.position]);
            if (result === REPLY) ends.push(before + scanner.position);
          }
          before += chunk.length;
        }
        return JSON.stringify(ends);
      };
      const whole = endsOf([bytes]);
      expect(endsOf(chunksOf(random, bytes))).toBe(whole);
      let start = 0;
      for (const end of JSON.parse(whole) as (number | string)[]) {
        if (typeof end === 'string') break;
        expect(readValue(Buffer.from(bytes.subarray(start, end)))).toBeDefined();
        start = end;
        values++;
      }
    });
    expect(values).toBeGreaterThan(fuzzRuns(RUNS * 0.1));
  });
});
