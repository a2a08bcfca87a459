import { describe, expect, it } from 'vitest';
import type { AddressRange } from '../../../src/config/copy-options.ts';
import { formatIp, parseIp, type IpAddress } from '../../../src/core/ip-address.ts';
import { SourceAddresses } from '../../../src/replay/source-addresses.ts';

function ip(text: string): IpAddress {
  return parseIp(text)!;
}

function range(first: string, count: number): AddressRange {
  return { first: ip(first), count };
}

function find(addresses: SourceAddresses, text: string): number {
  const { w0, w1, w2, w3 } = ip(text);
  return addresses.find(w0, w1, w2, w3);
}

/** What `choose` gives for the first choices of some clients. */
function chosen(addresses: SourceAddresses, version: 4 | 6, clients: number, choices = 1): Map<string, number> {
  const counts = new Map<string, number>();
  for (let client = 0; client < clients; client++) {
    for (let choice = 0; choice < choices; choice++) {
      const address = addresses.choose(ip(`10.7.${client >> 8}.${client & 255}`), choice, version)!;
      counts.set(formatIp(address), (counts.get(formatIp(address)) ?? 0) + 1);
    }
  }
  return counts;
}

describe('without -c', () => {
  const addresses = new SourceAddresses([]);

  it('a client keeps its address', () => {
    expect(addresses.choices(4)).toBe(1);
    expect(addresses.choose(ip('203.0.113.5'), 7, 4)).toEqual(ip('203.0.113.5'));
    expect(addresses.choose(ip('2001:db8::5'), 0, 6)).toEqual(ip('2001:db8::5'));
  });

  it('a client has none for a target of the other family', () => {
    expect(addresses.choose(ip('203.0.113.5'), 0, 6)).toBeUndefined();
    expect(addresses.choose(ip('2001:db8::5'), 0, 4)).toBeUndefined();
  });
});

describe('with -c', () => {
  it('addresses are used evenly, and all of them', () => {
    const addresses = new SourceAddresses([range('10.0.0.1', 1), range('10.9.8.1', 254)]);
    expect(addresses.choices(4)).toBe(255);
    const counts = chosen(addresses, 4, 255 * 4);
    expect(counts.size).toBe(255);
    expect(counts.has('10.0.0.1')).toBe(true);
    expect(counts.has('10.9.8.254')).toBe(true);
    expect([...counts.values()].every((n) => n === 4)).toBe(true);
  });

  it('the same client and choice get the same one, the next choice another', () => {
    const addresses = new SourceAddresses([range('10.9.8.1', 3)]);
    const client = ip('203.0.113.5');
    expect(addresses.choose(client, 0, 4)).toEqual(addresses.choose(client, 0, 4));
    const texts = [0, 1, 2, 3].map((choice) => formatIp(addresses.choose(client, choice, 4)!));
    expect(new Set(texts).size).toBe(3);
    expect(texts[3]).toBe(texts[0]);
  });

  it('those of the target’s family are used, whatever the client’s', () => {
    const addresses = new SourceAddresses([range('10.9.8.1', 2), range('2001:db8::1', 3), range('10.9.9.1', 2)]);
    expect([addresses.choices(4), addresses.choices(6)]).toEqual([4, 3]);
    expect([...chosen(addresses, 4, 50, 4).keys()].sort()).toEqual(['10.9.8.1', '10.9.8.2', '10.9.9.1', '10.9.9.2']);
    expect([...chosen(addresses, 6, 50, 4).keys()].sort()).toEqual(['2001:db8::1', '2001:db8::2', '2001:db8::3']);
  });

  it('there may be none of the target’s family', () => {
    const addresses = new SourceAddresses([range('10.9.8.1', 2)]);
    expect(addresses.choices(6)).toBe(0);
    expect(addresses.choose(ip('2001:db8::5'), 0, 6)).toBeUndefined();
  });

  it('ranges run over the borders of a byte and of a word', () => {
    const v4 = new SourceAddresses([range('10.9.8.255', 2)]);
    expect([...chosen(v4, 4, 2).keys()].sort()).toEqual(['10.9.8.255', '10.9.9.0']);
    const v6 = new SourceAddresses([range('2001:db8::1:ffff:ffff', 2)]);
    expect([...chosen(v6, 6, 2).keys()].sort()).toEqual(['2001:db8::1:ffff:ffff', '2001:db8::2:0:0']);
  });
});

describe('the index of an address', () => {
  it('is given on first use, and stays', () => {
    const addresses = new SourceAddresses([]);
    expect(find(addresses, '10.0.0.1')).toBe(-1);
    expect(addresses.entryOf(ip('10.0.0.1')).index).toBe(0);
    expect(addresses.entryOf(ip('2001:db8::1')).index).toBe(1);
    expect(addresses.entryOf(ip('10.0.0.1')).index).toBe(0);
    expect(find(addresses, '2001:db8::1')).toBe(1);
    expect(find(addresses, '2001:db8::2')).toBe(-1);
  });

  it('tells apart addresses that hash alike', () => {
    const addresses = new SourceAddresses([]);
    // An IPv4 address hashes to its word, and so does ::/96 with the same last word.
    for (const text of ['192.0.2.1', '::c000:201', '10.0.0.1', '::a00:1']) addresses.entryOf(ip(text));
    expect(['192.0.2.1', '::c000:201', '10.0.0.1', '::a00:1'].map((text) => find(addresses, text))).toEqual([
      0, 1, 2, 3,
    ]);
  });

  it('is found for each of many', () => {
    const addresses = new SourceAddresses([]);
    const texts = Array.from({ length: 5_000 }, (_, i) =>
      i % 2 ? `10.0.${i >> 8}.${i & 255}` : `fd00::${i}:${(i * 7) % 9_999}`,
    );
    texts.forEach((text, i) => expect(addresses.entryOf(ip(text)).index).toBe(i));
    texts.forEach((text, i) => expect(find(addresses, text)).toBe(i));
  });
});

it('forgets addresses that nobody uses, and knows the others as before', () => {
  const addresses = new SourceAddresses([]);
  const indexes = Array.from({ length: 100 }, (_, i) => addresses.entryOf(ip(`10.1.2.${i}`)).index);
  addresses.forgetAllBut(new Set(indexes.slice(0, 10)));
  expect(indexes.slice(0, 10).every((index, i) => find(addresses, `10.1.2.${i}`) === index)).toBe(true);
  expect(find(addresses, '10.1.2.10')).toBe(-1);
  expect(indexes).not.toContain(addresses.entryOf(ip('10.1.2.10')).index);
});
