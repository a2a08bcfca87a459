import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Mapping } from '../../../src/config/copy-options.ts';
import { DROP_NONE, DROP_NOT_SELECTED } from '../../../src/core/drop-reason.ts';
import { formatEndpoint, formatIp, parseIp, type Endpoint } from '../../../src/core/ip-address.ts';
import { Selector } from '../../../src/replay/selector.ts';
import { Segment } from '../../../src/wire/segment.ts';

function endpoint(address: string, port: number): Endpoint {
  return { address: parseIp(address)!, port };
}

/** `online` is an address or `*`. */
function mapping(online: string, first: number, last: number, target: string, port: number): Mapping {
  const address = online === '*' ? undefined : parseIp(online)!;
  return { online: { address, portFirst: first, portLast: last }, target: endpoint(target, port) };
}

function segment(from: Endpoint, to: Endpoint): Segment {
  const s = new Segment();
  [s.src0, s.src1, s.src2, s.src3] = [from.address.w0, from.address.w1, from.address.w2, from.address.w3];
  [s.dst0, s.dst1, s.dst2, s.dst3] = [to.address.w0, to.address.w1, to.address.w2, to.address.w3];
  s.srcPort = from.port;
  s.dstPort = to.port;
  return s;
}

function targetOf(selector: Selector, address: string, port: number): string | undefined {
  const target = selector.targetOf(endpoint(address, port));
  return target === undefined ? undefined : formatEndpoint(target);
}

const CLIENT = endpoint('203.0.113.9', 50_000);

describe('which segments are selected', () => {
  const selector = new Selector([mapping('192.0.2.1', 80, 80, '198.51.100.1', 8080)]);

  it.each([
    ['to the online endpoint', CLIENT, endpoint('192.0.2.1', 80), true, DROP_NONE],
    ['from the online endpoint', endpoint('192.0.2.1', 80), CLIENT, false, DROP_NONE],
    ['to another address', CLIENT, endpoint('192.0.2.2', 80), true, DROP_NOT_SELECTED],
    ['to another port', CLIENT, endpoint('192.0.2.1', 81), true, DROP_NOT_SELECTED],
    ['to the target', CLIENT, endpoint('198.51.100.1', 8080), true, DROP_NOT_SELECTED],
  ] as const)('%s', (_name, from, to, destination, verdict) => {
    const s = segment(from, to);
    expect(selector.judge(s)).toBe(verdict);
    expect(selector.isServer(s, destination)).toBe(verdict === DROP_NONE);
    expect(selector.isServer(s, !destination)).toBe(false);
  });

  it('and where to', () => {
    expect(targetOf(selector, '192.0.2.1', 80)).toBe('198.51.100.1:8080');
    expect(targetOf(selector, '192.0.2.1', 81)).toBeUndefined();
    expect(targetOf(selector, '192.0.2.2', 80)).toBeUndefined();
  });
});

describe('a range of ports', () => {
  const selector = new Selector([mapping('192.0.2.1', 8000, 8010, '198.51.100.1', 9000)]);

  it('maps onto target ports in order', () => {
    expect(targetOf(selector, '192.0.2.1', 7999)).toBeUndefined();
    expect(targetOf(selector, '192.0.2.1', 8000)).toBe('198.51.100.1:9000');
    expect(targetOf(selector, '192.0.2.1', 8010)).toBe('198.51.100.1:9010');
    expect(targetOf(selector, '192.0.2.1', 8011)).toBeUndefined();
  });

  it('reaches the last port there is', () => {
    const last = new Selector([mapping('*', 65_000, 65_535, '198.51.100.1', 1)]);
    expect(targetOf(last, '192.0.2.1', 65_535)).toBe('198.51.100.1:536');
  });
});

describe('any address', () => {
  const selector = new Selector([
    mapping('*', 80, 80, '198.51.100.1', 80),
    mapping('*', 8080, 8080, '198.51.100.2', 81),
  ]);

  it('means each of them, in both families', () => {
    expect(targetOf(selector, '192.0.2.1', 80)).toBe('198.51.100.1:80');
    expect(targetOf(selector, '192.0.2.77', 80)).toBe('198.51.100.1:80');
    expect(targetOf(selector, '2001:db8::1', 80)).toBe('198.51.100.1:80');
  });

  it('but not our own target, whose sessions would be copied again', () => {
    expect(targetOf(selector, '198.51.100.1', 80)).toBeUndefined();
    expect(selector.judge(segment(CLIENT, endpoint('198.51.100.1', 80)))).toBe(DROP_NOT_SELECTED);
    expect(selector.judge(segment(endpoint('198.51.100.1', 80), CLIENT))).toBe(DROP_NOT_SELECTED);
  });

  it('but another service on the host of a target is as good as any', () => {
    expect(targetOf(selector, '198.51.100.1', 8080)).toBe('198.51.100.2:81');
    expect(targetOf(selector, '198.51.100.2', 80)).toBe('198.51.100.1:80');
  });
});

describe('IPv6', () => {
  const selector = new Selector([mapping('2001:db8::1', 443, 443, '2001:db8:1::2', 8443)]);

  it('is compared whole', () => {
    expect(targetOf(selector, '2001:db8::1', 443)).toBe('[2001:db8:1::2]:8443');
    expect(targetOf(selector, '2001:db8:0:1::1', 443)).toBeUndefined();
    expect(targetOf(selector, '0:1::1', 443)).toBeUndefined();
  });

  it('is not taken for the IPv4 address with the same last word', () => {
    const v4 = new Selector([mapping('192.0.2.1', 80, 80, '198.51.100.1', 80)]);
    expect(targetOf(v4, '::c000:201', 80)).toBeUndefined();
    expect(targetOf(v4, '2001:db8::ffff:c000:201', 80)).toBeUndefined();
    expect(targetOf(v4, '::ffff:192.0.2.1', 80)).toBe('198.51.100.1:80');
  });
});

describe('several mappings', () => {
  it('of one port: by address, whichever order they come in', () => {
    const selector = new Selector([
      mapping('192.0.2.1', 80, 80, '198.51.100.1', 80),
      mapping('192.0.2.2', 70, 90, '198.51.100.2', 1000),
      mapping('192.0.2.3', 80, 80, '198.51.100.3', 80),
    ]);
    expect(targetOf(selector, '192.0.2.1', 80)).toBe('198.51.100.1:80');
    expect(targetOf(selector, '192.0.2.2', 80)).toBe('198.51.100.2:1010');
    expect(targetOf(selector, '192.0.2.3', 80)).toBe('198.51.100.3:80');
    expect(targetOf(selector, '192.0.2.1', 70)).toBeUndefined();
  });

  it('are searched as a list would be', () => {
    const addresses = ['10.0.0.1', '10.0.0.2', '2001:db8::1'];
    const arbitraryMapping = fc
      .record({
        online: fc.constantFrom('*', ...addresses),
        first: fc.integer({ min: 1, max: 30 }),
        width: fc.nat(10),
        target: fc.constantFrom(...addresses),
        port: fc.integer({ min: 1, max: 30 }),
      })
      .map(({ online, first, width, target, port }) => mapping(online, first, first + width, target, port));
    const dull = (mappings: readonly Mapping[], at: Endpoint): string | undefined => {
      const text = formatIp(at.address);
      const isTarget = mappings.some(
        ({ online, target }) =>
          formatIp(target.address) === text &&
          at.port >= target.port &&
          at.port <= target.port + online.portLast - online.portFirst,
      );
      for (const { online, target } of mappings) {
        if (at.port < online.portFirst || at.port > online.portLast) continue;
        if (online.address === undefined ? isTarget : formatIp(online.address) !== text) continue;
        return formatEndpoint({ address: target.address, port: target.port + at.port - online.portFirst });
      }
      return undefined;
    };
    fc.assert(
      fc.property(
        fc.array(arbitraryMapping, { maxLength: 6 }),
        fc.constantFrom(...addresses, '10.0.0.3'),
        fc.nat(45),
        (mappings, address, port) => {
          expect(targetOf(new Selector(mappings), address, port)).toBe(dull(mappings, endpoint(address, port)));
        },
      ),
      { numRuns: 300 },
    );
  });
});
