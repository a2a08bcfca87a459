import { describe, expect, it } from 'vitest';
import plugin from '../../plugins/sample/index.ts';
import { PluginRig, refusal, request, type RigOptions } from './plugin-rig.ts';

const CONNECTIONS = 1_500;

/** Which of some connections, each of a client of its own port or address, send anything of two requests. */
async function chosen(text: string, options: RigOptions = {}, sameAddress = true): Promise<Set<number>> {
  const rig = await PluginRig.start([[plugin, text]], { opaque: true, ...options });
  const found = new Set<number>();
  for (let i = 0; i < CONNECTIONS; i++) {
    const connection = sameAddress ? rig.connect('192.0.2.1', 1_024 + i) : rig.connect(`10.0.${i >> 8}.${i & 255}`);
    const sent = connection.send('a') + connection.send('b');
    expect(['', 'ab']).toContain(sent);
    if (sent !== '') found.add(i);
  }
  return found;
}

const share = (set: ReadonlySet<unknown>): number => (100 * set.size) / CONNECTIONS;

describe('sample', () => {
  it('chooses about the share that was asked for, and whole connections', async () => {
    for (const percent of [0, 2, 10, 50, 100]) {
      const found = share(await chosen(`sample=${percent}%`));
      // Six standard deviations, so that it hardly depends on the seed.
      expect(Math.abs(found - percent)).toBeLessThanOrEqual(6 * Math.sqrt((percent * (100 - percent)) / CONNECTIONS));
    }
  });

  it('chooses the same for the same seed, and of fewer only such that are among more', async () => {
    const ten = await chosen('sample=10%');
    expect(await chosen('sample=10%')).toEqual(ten);
    expect(await chosen('sample=10%,seed=1', { seed: 99 })).toEqual(ten);
    expect(await chosen('sample=10%', { seed: 2 })).not.toEqual(ten);
    const five = await chosen('sample=5%');
    expect(five.size).toBeLessThan(ten.size);
    expect([...five].every((i) => ten.has(i))).toBe(true);
  });

  it('without any seed, as with 0', async () => {
    expect(await chosen('sample=10%', { seed: undefined })).toEqual(await chosen('sample=10%', { seed: 0 }));
  });

  it('gradual: begins at one percent and adds one a second, up to the share', async () => {
    const after = async (s: number): Promise<Set<number>> => {
      const rig = await PluginRig.start([[plugin, 'sample=20%,gradual']], { opaque: true });
      await rig.pass(s * 1_000);
      return new Set(
        Array.from({ length: CONNECTIONS }, (_, i) => i).filter(
          (i) => rig.connect('192.0.2.1', 1_024 + i).plan?.dropped === undefined,
        ),
      );
    };
    for (const [s, percent] of [
      [0, 1],
      [0.99, 1],
      [1, 2],
      [9.5, 10],
      [19, 20],
      [1_000, 20],
    ] as const) {
      expect(await after(s)).toEqual(await chosen(`sample=${percent}%`));
    }
  });

  it('by client: all connections of an address, or none', async () => {
    expect([0, CONNECTIONS]).toContain((await chosen('sample=50%,by=client')).size);
    expect(Math.abs(share(await chosen('sample=50%,by=client', {}, false)) - 50)).toBeLessThan(6);
  });

  it('by request: some of each connection', async () => {
    const rig = await PluginRig.start([[plugin, 'sample=50%,by=request']]);
    const connection = rig.connect();
    let sent = 0;
    for (let i = 0; i < 400; i++) if (connection.send(request(`GET /${i}`)) !== '') sent++;
    expect(sent).toBeGreaterThan(130);
    expect(sent).toBeLessThan(270);
    expect(new Set(connection.dropped)).toEqual(new Set(['not in the sample']));
  });

  it.each([
    ['header:X-User', (user: string) => request('GET /', `x-user: ${user}`)],
    ['cookie:sid', (user: string) => request('GET /', `Cookie: a=1; sid=${user}; b=2`)],
    ['query:user', (user: string) => request(`GET /?a=1&user=${user}`)],
  ])('by=%s: the same users, whatever their connection', async (by, message) => {
    const rig = await PluginRig.start([[plugin, `sample=30%,by=${by}`]]);
    const one = rig.connect('192.0.2.1', 5_000);
    const users = Array.from({ length: 300 }, (_, i) => `user${i}`);
    const found = users.filter((user) => one.send(message(user)) !== '');
    expect(found.length).toBeGreaterThan(50);
    expect(found.length).toBeLessThan(130);
    const other = rig.connect('192.0.2.77', 6_000);
    expect(users.filter((user) => other.send(message(user)) !== '')).toEqual(found);
  });

  it('chooses by connection where there is no such user', async () => {
    const byUser = await chosen('sample=30%,by=header:X-User', { opaque: false });
    expect(byUser).toEqual(await chosen('sample=30%'));
    const rig = await PluginRig.start([[plugin, 'sample=30%,by=header:X-User']]);
    const inSample = [...byUser][0]!;
    const connection = rig.connect('192.0.2.1', 1_024 + inSample);
    expect(connection.send(request('GET /'))).toBe(request('GET /'));
  });

  it('brings the reading of HTTP along where it asks for users', async () => {
    const rig = await PluginRig.start([[plugin, 'sample=30%,by=header:X-User']], { opaque: true });
    const connection = rig.connect();
    const users = Array.from({ length: 50 }, (_, i) => request('GET /', `X-User: ${i}`));
    expect(new Set(users.map((each) => connection.send(each) === ''))).toEqual(new Set([true, false]));
  });

  it('refuses wrong options', () => {
    expect(refusal(plugin, 'sample')).toContain('share: is required');
    expect(refusal(plugin, 'sample=110%')).toContain('share=110%');
    expect(refusal(plugin, 'sample=10%,by=mood')).toContain('by=mood: must be connection');
    expect(refusal(plugin, 'sample=10%,by=cookie:')).toContain('by=cookie:');
    expect(refusal(plugin, 'sample=10%,seed=1.5')).toContain('seed=1.5');
    expect(refusal(plugin, 'sample=10%,bye=client')).toContain('no option bye');
  });
});
