import { describe, expect, it } from 'vitest';
import filter from '../../plugins/redis-filter/index.ts';
import redis from '../../plugins/redis/index.ts';
import { PluginRig, refusal } from './plugin-rig.ts';
import { resp } from './redis/transcript.ts';

const PLUGINS = [redis, 'redis'] as const;

async function copied(options: string, ...commands: readonly string[]): Promise<(string | undefined)[]> {
  const rig = await PluginRig.start([PLUGINS, [filter, `redis-filter${options}`]], { opaque: true });
  const connection = rig.connect();
  return commands.map((command) => {
    const dropped = connection.dropped.length;
    const sent = connection.send(resp(...command.split(' ')));
    return sent === '' ? connection.dropped[dropped] : undefined;
  });
}

describe('redis-filter', () => {
  it.each([
    ['=user:*', 'GET user:1', undefined],
    ['=user:*', 'GET cart:1', 'key not allowed'],
    ['=user:*', 'MGET user:1 cart:1', 'key not allowed'],
    ['=user:*,cart:*', 'MGET user:1 cart:1', undefined],
    ['=user:*', 'PING', undefined],
    ['=user:*', 'EVAL script 1 cart:1', 'key not allowed'],
    ['=user:*', 'JSON.GET user:1', 'keys not known'],
    ['=/^user:[0-9]+$/', 'GET user:1x', 'key not allowed'],
    [',denyKey=session:*', 'DEL a session:1', 'denyKey'],
    [',denyKey=session:*', 'DEL a b', undefined],
    [',command=GET,HGET*', 'get a', undefined],
    [',command=GET,HGET*', 'HGETALL a', undefined],
    [',command=GET', 'SET a b', 'command not allowed'],
    [',command=GET', 'AUTH x', undefined],
    [',command=GET', 'EXEC', undefined],
    [',command=@read', 'MGET a b', undefined],
    [',command=@read', 'EVAL script 0', 'command not allowed'],
    [',denyCommand=@script,KEYS', 'KEYS *', 'denyCommand'],
    [',denyCommand=@script,KEYS', 'FCALL f 0', 'denyCommand'],
    [',denyCommand=CONFIG', 'CONFIG GET x', 'denyCommand'],
    [',denyCommand=CONFIG GET', 'CONFIG HELP', undefined],
    [',denyCommand=MULTI', 'MULTI', 'denyCommand'],
  ])('%s: %s', async (options, command, reason) => {
    expect(await copied(options, command)).toEqual([reason]);
  });

  it('drops on demand what is no Redis command', async () => {
    const rig = await PluginRig.start([PLUGINS, [filter, 'redis-filter,others=drop']], { opaque: true });
    expect(rig.connect().send('hello\r\n')).toBe('');
    expect(rig.connect().send(`${resp('PING')}*x\r\n`)).toBe(resp('PING'));
  });

  it('refuses to do nothing, and what it cannot read', () => {
    expect(refusal(filter, 'redis-filter')).toContain('nothing is allowed or denied');
    expect(refusal(filter, 'redis-filter,command=@nosuch')).toContain("'@nosuch' is no kind of commands");
    expect(refusal(filter, 'redis-filter=/(/')).toContain('no regular expression');
  });
});
