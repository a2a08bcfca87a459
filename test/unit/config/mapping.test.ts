import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMappings } from '../../../src/config/mapping.ts';
import { TcpcopyError } from '../../../src/core/errors.ts';
import { formatEndpoint, formatIp } from '../../../src/core/ip-address.ts';
import { lineOf } from './options-fixture.ts';

/** Mappings in a form that tests can read: `[address:]first..last>target`. */
function show(...texts: string[]): string[] {
  return parseMappings(texts).mappings.map(({ online, target }) => {
    const address = online.address ? `${formatIp(online.address)}:` : '';
    return `${address}${online.portFirst}..${online.portLast}>${formatEndpoint(target)}`;
  });
}

describe('accepted forms', () => {
  it.each([
    ['80-192.0.2.10:8080', ['80..80>192.0.2.10:8080']],
    ['198.51.100.1:80-192.0.2.10:8080', ['198.51.100.1:80..80>192.0.2.10:8080']],
    ['80-[2001:db8::10]:8080', ['80..80>[2001:db8::10]:8080']],
    ['[2001:db8::1]:80-[2001:db8::10]:8080', ['2001:db8::1:80..80>[2001:db8::10]:8080']],
    ['8000-8010-192.0.2.10:9000', ['8000..8010>192.0.2.10:9000']],
    ['8000..8010-192.0.2.10:9000', ['8000..8010>192.0.2.10:9000']],
    ['8000..8010-192.0.2.10:9000..9010', ['8000..8010>192.0.2.10:9000']],
    ['8000-8010-[2001:db8::10]:9000-9010', ['8000..8010>[2001:db8::10]:9000']],
    ['198.51.100.1:8000-8001-192.0.2.10:9000', ['198.51.100.1:8000..8001>192.0.2.10:9000']],
    ['80-192.0.2.10:80,443-192.0.2.10:443', ['80..80>192.0.2.10:80', '443..443>192.0.2.10:443']],
    [' 80-192.0.2.10:80 , 443-192.0.2.10:443 ', ['80..80>192.0.2.10:80', '443..443>192.0.2.10:443']],
    ['80-127.0.0.1:8080', ['80..80>127.0.0.1:8080']],
  ])('%s', (text, expected) => expect(show(text)).toEqual(expected));

  it('several flags make one list', () => {
    expect(show('80-192.0.2.10:80', '443-192.0.2.10:443')).toHaveLength(2);
  });

  it('the same port of two addresses may go to two targets', () => {
    expect(show('198.51.100.1:80-192.0.2.10:80,198.51.100.2:80-192.0.2.11:80')).toHaveLength(2);
  });

  it("TCPCopy's MAC addresses, noticed and put aside", () => {
    const text = '80@00:11:22:33:44:55-192.0.2.10:8080@66:77:88:99:aa:bb';
    expect(show(text)).toEqual(['80..80>192.0.2.10:8080']);
    expect(parseMappings([text]).macIgnored).toBe(true);
    expect(parseMappings(['80-192.0.2.10:8080']).macIgnored).toBe(false);
  });
});

describe('refused, each with a line that says why', () => {
  it.each([
    ['80', 'has no target'],
    ['', 'an entry of the list is empty'],
    ['80-192.0.2.10:80,', 'an entry of the list is empty'],
    ['80-192.0.2.10', 'the target has no port'],
    ['80-[2001:db8::1]', 'the target has no port'],
    ['80-2001:db8::1:8080', 'an IPv6 address needs brackets'],
    ['80-test.example:8080', "'test.example' is not an IP address; host names are not looked up"],
    ['80-192.0.2.300:8080', "'192.0.2.300' is not an IP address"],
    ['0-192.0.2.10:80', '0 is not a port'],
    ['80-192.0.2.10:65536', '65536 is not a port'],
    ['8010-8000-192.0.2.10:80', 'the port range 8010..8000 runs backwards'],
    ['8000-8010-192.0.2.10:9000-9009', 'has 11 ports and the target range has not'],
    ['1-10-192.0.2.10:65530', 'past 65535'],
    ['80-0.0.0.0:80', '0.0.0.0 is not the address of a host'],
    ['0.0.0.0:80-192.0.2.10:80', 'leave the address out to mean any'],
    ['80-224.0.0.1:80', 'multicast'],
    ['80-255.255.255.255:80', 'broadcast'],
    ['80-[ff02::1]:80', 'multicast'],
    ['80-127.0.0.1:80', 'copies 127.0.0.1:80 to itself'],
    ['192.0.2.1:80-192.0.2.1:80', 'to itself'],
    ['192.0.2.1:8000-8010-192.0.2.1:8005', 'to itself'],
    ['80-192.0.2.10:80,80-192.0.2.11:80', "selects traffic that '80-192.0.2.10:80' already copies"],
    ['80-192.0.2.10:80,198.51.100.1:80-192.0.2.11:80', 'already copies'],
    ['80-90-192.0.2.10:80,85-192.0.2.11:80', 'already copies'],
    ['x:y-192.0.2.10:80', 'is not a mapping'],
  ])('%j: %s', (text, message) => {
    const line = lineOf(() => parseMappings([text]));
    expect(line).toContain(message);
    expect(line).toMatch(/^-x .*\[E_MAPPING\]$/);
  });
});

it('whatever is typed gives mappings or one such error', () => {
  const piece = fc.constantFrom(
    '80',
    '-',
    ':',
    ',',
    '..',
    '192.0.2.1',
    '[2001:db8::1]',
    '[',
    ']',
    '@',
    'x',
    ' ',
    '\n',
    '65536',
    '00:11:22:33:44:55',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      try {
        for (const { online, target } of parseMappings([pieces.join('')]).mappings) {
          expect(online.portFirst).toBeGreaterThan(0);
          expect(online.portLast).toBeGreaterThanOrEqual(online.portFirst);
          expect(target.port + online.portLast - online.portFirst).toBeLessThanOrEqual(65535);
        }
      } catch (error) {
        if (!(error instanceof TcpcopyError)) throw error;
        expect(error.code).toBe('E_MAPPING');
        expect(error.oneLine()).not.toContain('\n');
      }
    }),
    { numRuns: 2000 },
  );
});
