import { describe, expect, it } from 'vitest';
import { parseIp, type Endpoint } from '../../../src/core/ip-address.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { Sampler } from '../../../src/replay/sampler.ts';

const BEGUN = instant(5_000_000);

/** Clients as they come: neighbours, many ports each; every fourth is an IPv6 one. */
const CLIENTS: readonly Endpoint[] = Array.from({ length: 20_000 }, (_, i) => {
  const address = i % 4 === 3 ? `2001:db8::${(i >> 6).toString(16)}` : `10.0.${i >> 14}.${(i >> 6) & 255}`;
  return { address: parseIp(address)!, port: 32_768 + (i & 63) * 3 };
});

function chosen(sampler: Sampler, at = BEGUN): Set<number> {
  return new Set(CLIENTS.flatMap((client, i) => (sampler.chooses(client, at) ? [i] : [])));
}

function fixed(percent: number, seed = 1): Sampler {
  return new Sampler(percent, false, seed, BEGUN);
}

describe('the share', () => {
  it.each([1, 5, 10, 33, 50, 90, 99])('of %i %% is kept', (percent) => {
    const share = chosen(fixed(percent)).size / CLIENTS.length;
    // Four standard deviations of a fair choice.
    const tolerance = 4 * Math.sqrt(((percent / 100) * (1 - percent / 100)) / CLIENTS.length);
    expect(Math.abs(share - percent / 100)).toBeLessThan(tolerance);
  });

  it('of 100 % is everything', () => {
    expect(chosen(fixed(100)).size).toBe(CLIENTS.length);
  });

  it('is kept among the ports of one client, and among clients with one port', () => {
    const address = parseIp('192.0.2.1')!;
    const ports = Array.from({ length: 20_000 }, (_, i) => ({ address, port: 1_024 + i }));
    const hosts = Array.from({ length: 20_000 }, (_, i) => ({
      address: parseIp(`10.1.${i >> 8}.${i & 255}`)!,
      port: 40_000,
    }));
    for (const clients of [ports, hosts]) {
      const share = clients.filter((client) => fixed(10).chooses(client, BEGUN)).length / clients.length;
      expect(share).toBeGreaterThan(0.09);
      expect(share).toBeLessThan(0.11);
    }
  });
});

describe('the choice', () => {
  it('is the same whenever it is made', () => {
    expect(chosen(fixed(10), instant(9e15))).toEqual(chosen(fixed(10)));
  });

  it('of a smaller share is part of that of a larger', () => {
    const shares = [1, 5, 10, 50, 99].map((percent) => chosen(fixed(percent)));
    for (let i = 1; i < shares.length; i++) {
      expect([...shares[i - 1]!].filter((client) => !shares[i]!.has(client))).toEqual([]);
    }
  });

  it('depends on the seed', () => {
    const [one, other] = [chosen(fixed(50, 1)), chosen(fixed(50, 2))];
    const both = [...one].filter((client) => other.has(client)).length;
    expect(both / CLIENTS.length).toBeGreaterThan(0.23);
    expect(both / CLIENTS.length).toBeLessThan(0.27);
  });
});

describe('a gradual start', () => {
  const sampler = new Sampler(20, true, 1, BEGUN);
  const after = (s: number) => chosen(sampler, instant(BEGUN + seconds(s)));

  it('begins at one percent and adds one a second, up to the share', () => {
    expect(after(0)).toEqual(chosen(fixed(1)));
    expect(after(0.99)).toEqual(chosen(fixed(1)));
    expect(after(1)).toEqual(chosen(fixed(2)));
    expect(after(9.5)).toEqual(chosen(fixed(10)));
    expect(after(19)).toEqual(chosen(fixed(20)));
    expect(after(1_000)).toEqual(chosen(fixed(20)));
  });

  it('gets to everything', () => {
    const all = new Sampler(100, true, 1, BEGUN);
    expect(chosen(all, instant(BEGUN + seconds(98))).size).toBeLessThan(CLIENTS.length);
    expect(chosen(all, instant(BEGUN + seconds(99))).size).toBe(CLIENTS.length);
  });
});
