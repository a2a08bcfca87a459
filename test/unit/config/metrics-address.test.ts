import { describe, expect, it } from 'vitest';
import { parseMetricsAddress } from '../../../src/config/metrics-address.ts';
import { lineOf } from './options-fixture.ts';

describe('--metrics', () => {
  it('is a port of this machine, told to itself only, or an address with one', () => {
    expect(parseMetricsAddress('9464')).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(parseMetricsAddress('192.0.2.7:80')).toEqual({ host: '192.0.2.7', port: 80 });
    expect(parseMetricsAddress('[::]:9464')).toEqual({ host: '::', port: 9464 });
  });

  it.each([
    ['', 'not an address to listen on'],
    [':9464', 'not an address to listen on'],
    ['::1:9464', 'not an address to listen on'],
    ['localhost:9464', "'localhost' is not an IP address"],
    ['0', '0 is not a port'],
    ['127.0.0.1:70000', '70000 is not a port'],
  ])('%j is refused', (text, why) => {
    expect(lineOf(() => parseMetricsAddress(text))).toContain(why);
  });
});
