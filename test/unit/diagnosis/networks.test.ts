import { describe, expect, it } from 'vitest';
import { contains, networkOf, otherNetwork } from '../../../src/diagnosis/networks.ts';

describe('networks', () => {
  it.each([
    ['10.9.8.200', 24, '10.9.8.0/24'],
    ['10.9.8.200', 26, '10.9.8.192/26'],
    ['255.255.255.255', 1, '128.0.0.0/1'],
    ['10.9.8.7', 32, '10.9.8.7/32'],
    ['10.9.8.7', 0, '0.0.0.0/0'],
    ['2001:db8:1:2:3::4', 64, '2001:db8:1:2::/64'],
    ['2001:db8::7', 128, '2001:db8::7/128'],
  ])('of %s, %i bits: %s', (address, prefix, network) => {
    expect(networkOf(address, prefix)).toBe(network);
  });

  it('contain addresses of their family only', () => {
    expect(contains('10.9.8.0/24', '10.9.8.255')).toBe(true);
    expect(contains('10.9.8.0/24', '10.9.9.0')).toBe(false);
    expect(contains('2001:db8::/32', '2001:db8:ffff::1')).toBe(true);
    expect(contains('0.0.0.0/0', '2001:db8::1')).toBe(false);
  });

  it.each([
    ['192.168.100.0/24', '192.168.101.0/24'],
    ['10.9.0.0/16', '10.8.0.0/16'],
    ['10.0.0.0/8', '11.0.0.0/8'],
    ['10.9.8.7/32', '10.9.9.0/24'],
    ['2001:db8:9::/64', '2001:db8:8::/64'],
  ])('have a neighbour: %s, %s', (network, other) => {
    expect(otherNetwork(network, ['192.0.2.1', '::1'])).toBe(other);
  });

  it('have another one when somebody known is next to them', () => {
    expect(otherNetwork('10.9.8.7/32', ['10.9.9.1'])).toBe('198.18.100.0/24');
    expect(otherNetwork('2001:db8:9::/64', ['2001:db8:8::1'])).toBe('2001:2:0:100::/64');
  });
});
