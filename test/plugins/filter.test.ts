import { describe, expect, it } from 'vitest';
import plugin from '../../plugins/filter/index.ts';
import { parseRange } from '../../plugins/filter/address-range.ts';
import { parseIp } from '../../src/core/ip-address.ts';
import { PluginRig, refusal } from './plugin-rig.ts';

const verdict = async (text: string, client: string): Promise<string> => {
  const rig = await PluginRig.start([[plugin, text]], { opaque: true });
  const connection = rig.connect(client);
  return connection.plan?.dropped?.reason ?? connection.send('passes');
};

describe('filter', () => {
  it.each([
    ['filter=192.0.2.0/24', '192.0.2.200', 'passes'],
    ['filter=192.0.2.0/24', '192.0.3.1', 'client not allowed'],
    ['filter=192.0.2.0/24,10.1.1.1', '10.1.1.1', 'passes'],
    ['filter,deny=192.0.2.7', '192.0.2.7', 'client denied'],
    ['filter,deny=192.0.2.7', '192.0.2.8', 'passes'],
    ['filter,allow=10.0.0.0/8,deny=10.1.0.0/16', '10.1.2.3', 'client denied'],
    ['filter,allow=10.0.0.0/8,deny=10.1.0.0/16', '10.2.2.3', 'passes'],
    ['filter=2001:db8::/32', '2001:db8:1::5', 'passes'],
    ['filter=2001:db8::/32', '192.0.2.7', 'client not allowed'],
    ['filter,deny=0.0.0.0/0', '2001:db8::1', 'passes'],
    ['filter,deny=::/0', '192.0.2.7', 'passes'],
    ['filter,deny=::/0', '2001:db8::1', 'client denied'],
  ])('%s of %s: %s', async (text, client, expected) => {
    expect(await verdict(text, client)).toBe(expected);
  });

  it('counts bits as they are written', () => {
    for (let bits = 0; bits <= 32; bits++) {
      const range = parseRange(`170.170.170.170/${bits}`)!;
      for (let flipped = 0; flipped < 32; flipped++) {
        const word = 0xaaaaaaaa ^ (1 << (31 - flipped));
        const address = { ...parseIp('170.170.170.170')!, w3: word | 0 };
        expect(range.contains(address)).toBe(flipped >= bits);
      }
    }
    expect(parseRange('2001:db8:8000::/33')!.contains(parseIp('2001:db8:ffff::1')!)).toBe(true);
    expect(parseRange('2001:db8:8000::/33')!.contains(parseIp('2001:db8:7fff::1')!)).toBe(false);
  });

  it('refuses wrong options', () => {
    expect(refusal(plugin, 'filter')).toContain('give allow or deny');
    for (const wrong of ['shop', '10.0.0.0/33', '2001:db8::/129', '10.0.0.0/', '10.0.0/8', '']) {
      expect(refusal(plugin, `filter,deny=${wrong}`)).toContain(`'${wrong}' is neither an address`);
    }
    expect(refusal(plugin, 'filter,alow=10.0.0.1')).toContain('no option alow');
  });
});
