import { expect, it } from 'vitest';
import rewrite from '../../plugins/redis-rewrite/index.ts';
import redis from '../../plugins/redis/index.ts';
import { PluginRig, refusal } from './plugin-rig.ts';
import { resp } from './redis/transcript.ts';

it.each([
  [',keys.user:=copy:', 'MGET user:1 cart:1', resp('MGET', 'copy:1', 'cart:1')],
  [',keys.a=x,keys.ab=y', 'MGET abc acd', resp('MGET', 'yc', 'xcd')],
  [',keys.user:=', 'GET user:1', resp('GET', '1')],
  [',keys.user:=copy:', 'JSON.GET user:1', ''],
  [',commands.KEYS=secret', 'keys *', resp('secret', '*')],
])('%s: %s', async (options, command, sent) => {
  const rig = await PluginRig.start(
    [
      [redis, 'redis'],
      [rewrite, `redis-rewrite${options}`],
    ],
    { opaque: true },
  );
  expect(rig.connect().send(resp(...command.split(' ')))).toBe(sent);
});

it('leaves alone what has nothing to rename, also how it is written', async () => {
  const rig = await PluginRig.start(
    [
      [redis, 'redis'],
      [rewrite, 'redis-rewrite,keys.user:=copy:'],
    ],
    { opaque: true },
  );
  expect(rig.connect().send('GET cart:1\r\n')).toBe('GET cart:1\r\n');
});

it('renames commands when nothing goes by their name any more', async () => {
  const rig = await PluginRig.start(
    [
      [redis, 'redis,prefix=p:'],
      [rewrite, 'redis-rewrite,commands.GET=read,keys.a=b'],
    ],
    { opaque: true },
  );
  expect(rig.connect().send(resp('GET', 'a1'))).toBe(resp('read', 'p:b1'));
});

it('refuses to do nothing', () => {
  expect(refusal(rewrite, 'redis-rewrite')).toContain('give keys or commands');
});
