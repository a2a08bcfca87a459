import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { netlinkRequest, word } from '../../../src/inject/netlink.ts';
import { outputHook } from '../../../src/inject/output-hooks.ts';

const [XFRM, NETFILTER] = [6, 12];
const [INET, IPV4, NETDEV] = [1, 2, 5];
const [PRE_ROUTING, LOCAL_OUT, POST_ROUTING] = [0, 3, 4];
const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const done = netlinkRequest(3, 0, [[4, 0]]);
const failed = (errno: number) => netlinkRequest(2, 0, [[4, -errno >>> 0]]);
/** A base chain, or without `hook` one that others jump to. */
const chain = (family: number, hook?: number) => {
  const number = netlinkRequest(0, 0, [], [[1, Uint8Array.from([0, 0, 0, hook ?? 0])]]).subarray(16);
  return netlinkRequest(
    (10 << 8) | 3,
    0,
    [
      [1, family],
      [1, 0],
      [2, 0],
    ],
    hook === undefined ? [] : [[0x8004, number]],
  );
};
const policies = (inwards: number, outwards: number) =>
  netlinkRequest(0x24, 0, [[4, 0]], [[1, joined(...[inwards, outwards, 0, 0, 0, 0].map(word))]]);

interface Host {
  nft: Uint8Array;
  xfrm: Uint8Array;
  files: Record<string, string>;
}

const nothing = (): Host => ({ nft: done, xfrm: policies(0, 0), files: {} });
const refusal = (code: string) => Object.assign(new Error(code), { code });

function hook(
  change: Partial<Host> = {},
  throws?: { readonly protocol: number; readonly code: string },
): string | undefined {
  const host = { ...nothing(), ...change };
  return outputHook(
    (protocol) => {
      if (protocol === throws?.protocol) throw refusal(throws.code);
      return protocol === NETFILTER ? host.nft : host.xfrm;
    },
    (path) => {
      const text = host.files[path];
      if (text === undefined) throw refusal('ENOENT');
      if (text === 'secret') throw refusal('EACCES');
      return text;
    },
  );
}

describe('outputHook', () => {
  it('finds nothing on a host without a firewall, or one that looks elsewhere', () => {
    expect(hook()).toBeUndefined();
    const elsewhere = joined(chain(NETDEV, LOCAL_OUT), chain(IPV4, PRE_ROUTING), chain(IPV4), policies(0, 0));
    expect(
      hook({ nft: joined(elsewhere, done), xfrm: policies(5, 0), files: { '/proc/net/ip_tables_names': '\n' } }),
    ).toBeUndefined();
  });

  it.each([
    [IPV4, LOCAL_OUT],
    [INET, POST_ROUTING],
    [10, LOCAL_OUT],
  ])('finds a chain of family %i at hook %i', (family, at) => {
    expect(hook({ nft: joined(chain(NETDEV, 1), chain(family, at)) })).toMatch(/^nftables has a chain/);
  });

  it('finds tables of iptables, and IPsec policies for what goes out', () => {
    expect(hook({ files: { '/proc/net/ip6_tables_names': 'filter\n' } })).toBe('iptables has rules');
    expect(hook({ xfrm: policies(0, 1) })).toMatch(/^IPsec has a policy/);
  });

  it('takes what the kernel was built without for nothing', () => {
    expect(hook({ nft: failed(constants.errno.EINVAL) })).toBeUndefined();
    expect(hook({}, { protocol: NETFILTER, code: 'EPROTONOSUPPORT' })).toBeUndefined();
    expect(hook({}, { protocol: XFRM, code: 'EPROTONOSUPPORT' })).toBeUndefined();
  });

  it('takes what it may not know for something', () => {
    const { EPERM } = constants.errno;
    expect(hook({ nft: failed(EPERM) })).toBe('whether nftables looks at it is not known (EPERM)');
    expect(hook({ xfrm: failed(EPERM) })).toBe('whether IPsec looks at it is not known (EPERM)');
    expect(hook({ files: { '/proc/net/ip_tables_names': 'secret' } })).toBe(
      'whether iptables looks at it is not known (EACCES)',
    );
    // More chains than fit: some of them may be for what goes out.
    expect(hook({}, { protocol: NETFILTER, code: 'EMSGSIZE' })).toBe(
      'whether nftables looks at it is not known (EMSGSIZE)',
    );
  });
});
