/** The command table against a real redis-server: what its COMMAND says of each, and where its COMMAND GETKEYS finds keys. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandNames, commandSpec, RedisCommand, RedisError, type RedisValue } from '../../plugins/redis/index.ts';
import { RedisClient } from '../support/redis-client.ts';

const missing = spawnSync('redis-server', ['--version']).error !== undefined;

/** Key lists and options of many shapes. */
const SAMPLES: readonly (readonly string[])[] = [
  ['MSET', 'a', '1', 'b', '2'],
  ['EVAL', 'return 1', '2', 'a', 'b', 'c'],
  ['EVALSHA', 'f00', '1', 'a'],
  ['EVAL_RO', 'return 1', '1', 'a'],
  ['FCALL', 'f', '2', 'a', 'b'],
  ['XREAD', 'COUNT', '2', 'BLOCK', '0', 'STREAMS', 'a', 'b', '0', '0'],
  ['XREADGROUP', 'GROUP', 'streams', 'c', 'STREAMS', 'a', '>'],
  ['SORT', 'a'],
  ['SORT', 'a', 'BY', 'w_*', 'GET', '#', 'LIMIT', '0', '5', 'STORE', 'b'],
  ['SORT_RO', 'a', 'BY', 'w_*'],
  ['MIGRATE', 'host', '6379', 'a', '0', '100'],
  ['MIGRATE', 'host', '6379', '', '0', '100', 'COPY', 'KEYS', 'a', 'b'],
  ['GEORADIUS', 'a', '1', '2', '3', 'km', 'COUNT', '1', 'STORE', 'b'],
  ['GEORADIUSBYMEMBER', 'a', 'm', '3', 'km', 'STOREDIST', 'b'],
  ['GEOSEARCHSTORE', 'a', 'b', 'FROMMEMBER', 'm', 'BYRADIUS', '1', 'km'],
  ['ZUNIONSTORE', 'd', '2', 'a', 'b', 'WEIGHTS', '1', '2'],
  ['ZINTERSTORE', 'd', '1', 'a'],
  ['ZDIFFSTORE', 'd', '2', 'a', 'b'],
  ['ZUNION', '2', 'a', 'b', 'WITHSCORES'],
  ['SINTERCARD', '2', 'a', 'b', 'LIMIT', '1'],
  ['LMPOP', '2', 'a', 'b', 'LEFT'],
  ['BLMPOP', '0', '2', 'a', 'b', 'LEFT'],
  ['BZMPOP', '0', '1', 'a', 'MIN'],
  ['BLPOP', 'a', 'b', '0'],
  ['BITOP', 'AND', 'd', 'a', 'b'],
  ['PFMERGE', 'd', 'a', 'b'],
  ['LCS', 'a', 'b'],
  ['COPY', 'a', 'b', 'DB', '1'],
  ['OBJECT', 'ENCODING', 'a'],
  ['MEMORY', 'USAGE', 'a'],
  ['XGROUP', 'CREATE', 'a', 'g', '$'],
  ['XINFO', 'STREAM', 'a'],
  ['WATCH', 'a', 'b'],
  ['SMOVE', 'a', 'b', 'm'],
  ['RENAME', 'a', 'b'],
];

describe.skipIf(missing)('the command table', () => {
  let server: ChildProcess;
  let folder: string;
  let client: RedisClient;
  let known: ReadonlyMap<string, readonly RedisValue[]>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tcpcopy-redis-'));
    const path = join(folder, 'redis.sock');
    server = spawn('redis-server', ['--port', '0', '--unixsocket', path, '--save', '', '--dir', folder]);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.stdout!.on('data', (text: Buffer) => {
        if (text.includes('ready to accept connections') || text.includes('Ready to accept connections')) resolve();
      });
    });
    client = new RedisClient(path);
    const rows = (await client.ask('COMMAND')) as readonly (readonly RedisValue[])[];
    const all = rows.flatMap((row) => [row, ...((row[9] ?? []) as readonly (readonly RedisValue[])[])]);
    known = new Map(all.map((row) => [(row[0] as string).replace('|', ' ').toUpperCase(), row]));
  });

  afterAll(() => {
    client?.close();
    server?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has all commands of the server, with their arity and what they do', () => {
    const told: unknown[] = [];
    for (const [name, [, arity, flags, , , , , , , subcommands]] of known) {
      // A container alone is an error, but for COMMAND.
      if ((subcommands as readonly RedisValue[]).length > 0 && name !== 'COMMAND') continue;
      const spec = commandSpec(name);
      const [isWrite, isRead] = ['write', 'readonly'].map((flag) => (flags as readonly RedisValue[]).includes(flag));
      const agrees =
        spec !== undefined &&
        // Later versions allow more arguments, never fewer.
        (spec.arity === arity || spec.arity === -Math.abs(arity as number) || name.startsWith('COMMAND GETKEYS')) &&
        (!isWrite || spec.kind === 'write') &&
        (!isRead || spec.kind === 'read') &&
        spec.blocking === ((flags as readonly RedisValue[]).includes('blocking') || name.startsWith('WAIT'));
      if (!agrees) told.push([name, arity, flags, spec]);
    }
    expect(told).toEqual([]);
    expect(known.size).toBeGreaterThan(350);
    expect(commandNames().length).toBeGreaterThan(350);
  });

  it.each(SAMPLES.map((args) => [args.join(' '), args] as const))('finds the keys of %s', async (_, args) => {
    const found = await client.ask('COMMAND', 'GETKEYS', ...args);
    expect(RedisCommand.of(...args).keys).toEqual(found);
  });

  it('finds the keys of every command with any number of arguments where the server does', async () => {
    let compared = 0;
    for (const name of commandNames()) {
      const words = name.split(' ');
      if (!known.has(name)) continue;
      for (let length = words.length; length <= 9; length++) {
        const args = [...words, ...Array.from({ length: length - words.length }, (_, i) => `a${i}`)];
        const found = await client.ask('COMMAND', 'GETKEYS', ...args);
        const keys = RedisCommand.of(...args).keys;
        if (found instanceof RedisError) continue;
        // A channel is no key, though redis-server tells shard channels as such.
        if (/^S(UN)?(PUBLISH|SUBSCRIBE)$/.test(name)) continue;
        expect([args.join(' '), keys]).toEqual([args.join(' '), found]);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(500);
  });
});
