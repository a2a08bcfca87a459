import { describe, expect, it } from 'vitest';
import { RedisCommand } from '../../../plugins/redis/index.ts';
import { text } from '../../support/codec-driving.ts';
import { feed, resp } from './transcript.ts';

const of = RedisCommand.of;

function streamed(bytes: string, limit: number): RedisCommand {
  return feed([text(bytes.slice(0, limit + 10)), text(bytes.slice(limit + 10))], { settings: { commandLimit: limit } })
    .commands[0]!.command;
}

describe('what a command says', () => {
  it('its name, with the subcommand', () => {
    expect(of('get', 'k').name).toBe('GET');
    expect(of('config', 'set', 'a', 'b').name).toBe('CONFIG SET');
    expect(of('command').name).toBe('COMMAND');
    expect(of('json.set', 'k', '.', '1')).toMatchObject({ name: 'JSON.SET', spec: undefined, writes: true });
  });

  it.each([
    [['GET', 'k'], ['k']],
    [
      ['MSET', 'a', '1', 'b', '2'],
      ['a', 'b'],
    ],
    [
      ['DEL', 'a', 'b'],
      ['a', 'b'],
    ],
    [
      ['BLPOP', 'a', 'b', '0'],
      ['a', 'b'],
    ],
    [
      ['EVAL', 'return 1', '2', 'a', 'b', 'arg'],
      ['a', 'b'],
    ],
    [['EVALSHA', 'abc', '0'], []],
    [['FCALL', 'f', '1', 'a', 'b'], ['a']],
    [
      ['XREAD', 'COUNT', '2', 'STREAMS', 'a', 'b', '0', '0'],
      ['a', 'b'],
    ],
    [['XREADGROUP', 'GROUP', 'streams', 'c', 'streams', 'a', '>'], ['a']],
    [
      ['SORT', 'a', 'BY', 'w_*', 'LIMIT', '0', 'store', 'STORE', 'b'],
      ['a', 'b'],
    ],
    [['MIGRATE', 'h', '1', 'a', '0', '10'], ['a']],
    [
      ['MIGRATE', 'h', '1', '', '0', '10', 'COPY', 'KEYS', 'a', 'b'],
      ['a', 'b'],
    ],
    [
      ['GEORADIUS', 'a', '1', '2', '3', 'km', 'STORE', 'b'],
      ['a', 'b'],
    ],
    [
      ['ZUNIONSTORE', 'd', '2', 'a', 'b', 'WEIGHTS', '1', '2'],
      ['d', 'a', 'b'],
    ],
    [
      ['BITOP', 'NOT', 'd', 'a'],
      ['d', 'a'],
    ],
    [['OBJECT', 'ENCODING', 'a'], ['a']],
    [['XGROUP', 'CREATE', 'a', 'g', '$'], ['a']],
    [
      ['WATCH', 'a', 'b'],
      ['a', 'b'],
    ],
    [
      ['LMPOP', '2', 'a', 'b', 'LEFT'],
      ['a', 'b'],
    ],
    [['PUBLISH', 'channel', 'm'], []],
  ])('the keys of %j', (args, keys) => {
    expect(of(...args).keys).toEqual(keys);
    expect(of(...args).keyPositions).toBeDefined();
  });

  it.each([
    [['NOSUCH', 'k']],
    [['GET']],
    [['EVAL', 's', '3', 'a']],
    [['EVAL', 's', '-1', 'a']],
    [['MIGRATE', 'h', '1', '', '0', '10']],
  ])('that its keys cannot be told: %j', (args) => expect(of(...args).keyPositions).toBeUndefined());

  it('whether it may write', () => {
    const writes = (...args: string[]) => of(...args).writes;
    expect([writes('GET', 'k'), writes('SORT', 'k'), writes('CONFIG', 'GET', 'x'), writes('MULTI')]).toEqual([
      ...[false, false, false, false],
    ]);
    expect([writes('SET', 'k', 'v'), writes('SORT', 'k', 'STORE', 'd'), writes('EVAL', 's', '0')]).toEqual([
      ...[true, true, true],
    ]);
    expect([writes('GEORADIUS', 'k', '1', '2', '3', 'm'), writes('PUBLISH', 'c', 'm')]).toEqual([false, true]);
  });

  it.each([
    [['AUTH', 'hunter2'], 'AUTH ***'],
    [['AUTH', 'app', 'hunter2'], 'AUTH app ***'],
    [['AUTH', 'my', 'pass', 'phrase'], 'AUTH *** *** ***'],
    [['HELLO', '3', 'AUTH', 'app', 'hunter2', 'SETNAME', 'n'], 'HELLO 3 AUTH app *** SETNAME n'],
    [['CONFIG', 'SET', 'requirepass', 'hunter2', 'maxmemory', '1'], 'CONFIG SET requirepass *** maxmemory 1'],
    [['CONFIG', 'SET', 'masterauth', 'hunter2'], 'CONFIG SET masterauth ***'],
    [['MIGRATE', 'h', '1', 'k', '0', '9', 'AUTH', 'hunter2'], 'MIGRATE h 1 k 0 9 AUTH ***'],
    [['MIGRATE', 'h', '1', 'k', '0', '9', 'AUTH2', 'u', 'hunter2'], 'MIGRATE h 1 k 0 9 AUTH2 u ***'],
    [['ACL', 'SETUSER', 'u', 'on', '>hunter2', '~*'], 'ACL SETUSER u on *** ~*'],
  ])('no secret: %j', (args, shown) => expect(of(...args).toString()).toBe(shown));

  it('not too much of itself', () => {
    expect(of('SET', 'k', 'v'.repeat(1000)).toString()).toBe(`SET k ${'v'.repeat(64)}…`);
    expect(of('DEL', ...Array.from({ length: 20 }, (_, i) => `k${i}`)).toString()).toMatch(/k14 … \(21 arguments\)$/);
    expect(of('SET', 'a b', 'x\r\ny"').toString()).toBe(String.raw`SET "a b" "x\r\ny\""`);
  });
});

describe('changes', () => {
  it('write the command anew; without any it stays as captured', () => {
    const strange = '*2\r\n$3\r\nGETxx$1\r\nkyy';
    const { bytes } = feed([text(strange)]);
    expect(Buffer.from(bytes).toString('latin1')).toBe(strange);
    const edited = feed([text(strange)], { edit: (command) => command.set(1, 'ü') });
    expect(Buffer.from(edited.bytes).toString()).toBe('*2\r\n$3\r\nGET\r\n$2\r\nü\r\n');
  });

  it('make a multibulk request of a line', () => {
    const edited = feed([text('set k "a b"\r\n')], {
      edit: (command) => command.mapKeys((key) => `p:${Buffer.from(key).toString()}`),
    });
    expect(Buffer.from(edited.bytes).toString()).toBe(resp('set', 'p:k', 'a b'));
  });

  it('can be taken back', () => {
    const command = of('GET', 'k');
    const before = command.checkpoint();
    command.replace(['SET', 'k', 'v']);
    expect([command.name, command.keys, command.changed]).toEqual(['SET', ['k'], true]);
    command.revert(before);
    expect([command.name, command.length, command.changed]).toEqual(['GET', 2, false]);
  });

  it('of a copy are its own', () => {
    const command = of('GET', 'k');
    const copy = command.clone();
    copy.set(1, 'other');
    expect([command.text(1), copy.text(1)]).toEqual(['k', 'other']);
  });

  it('of a command that streams past are of what is there', () => {
    const command = streamed(resp('SET', 'key', 'v'.repeat(100)), 40);
    expect([command.whole, command.length, command.args.length, command.keys]).toEqual([false, 3, 2, ['key']]);
    command.mapKeys((key) => Buffer.concat([Buffer.from('prefix:'), key]));
    const written = Buffer.from(command.serialize()).toString();
    expect(written).toMatch(/^\*3\r\n\$3\r\nSET\r\n\$10\r\nprefix:key\r\n\$100\r\nv+$/);
    expect(() => command.replace(['GET', 'k'])).toThrow(/streams past/);
    expect(() => command.set(2, 'x')).toThrow(RangeError);
  });

  it('of keys that stream past are refused', () => {
    const command = streamed(resp('MSET', 'a', 'x'.repeat(50), 'b', 'y'), 40);
    expect(command.keyPositions).toBeUndefined();
    expect(() => command.mapKeys((key) => key)).toThrow(/cannot be told/);
  });
});
