import { describe, expect, it } from 'vitest';
import { parseCopyOptions } from '../../../src/config/copy-options-schema.ts';
import { formatIp } from '../../../src/core/ip-address.ts';
import { planOf, probeSources } from '../../../src/diagnosis/plan-of.ts';
import { CONTEXT } from '../config/options-fixture.ts';

const options = (client: string[], target = '192.0.2.10:80') =>
  parseCopyOptions({ map: [`80-${target}`], intercept: ['192.0.2.20'], client }, CONTEXT).options;

describe('planOf', () => {
  it.each([
    [['10.9.8.x'], ['10.9.8.0/24']],
    [['10.9.0.0/16'], ['10.9.0.0/16']],
    [['10.9.8.64/26'], ['10.9.8.64/26']],
    [['10.9.8.7'], ['10.9.8.7/32']],
    [['10.9.8.7,10.1.1.x'], ['10.9.8.7/32', '10.1.1.0/24']],
    [['10.9.8.6/31'], ['10.9.8.6/31']],
  ])('names the networks of -c %s: %s', (client, networks) => {
    expect(planOf(options(client)).clients.map(({ network }) => network)).toEqual(networks);
  });

  it('names IPv6 networks', () => {
    const plan = planOf(options(['2001:db8:9::/120'], '[2001:db8::10]:80'));
    expect(plan.clients).toEqual([{ network: '2001:db8:9::/120', first: '2001:db8:9::1' }]);
    expect(plan.targets).toEqual([{ address: '2001:db8::10', port: 80 }]);
  });

  it('has each target once, and ports as they were given', () => {
    const { options: many } = parseCopyOptions(
      { map: ['80-192.0.2.10:80,81-192.0.2.10:80,8000-8010-192.0.2.11:9000'], intercept: ['192.0.2.20'] },
      CONTEXT,
    );
    expect(planOf(many)).toMatchObject({
      onlinePorts: ['80', '81', '8000-8010'],
      targets: [
        { address: '192.0.2.10', port: 80 },
        { address: '192.0.2.11', port: 9000 },
      ],
      clients: [],
      devices: ['any'],
    });
  });

  it('probes from the ends of -c', () => {
    const sources = (...client: string[]) => probeSources(options(client).clientAddresses, 4).map(formatIp);
    expect(sources('10.9.8.x')).toEqual(['10.9.8.1', '10.9.8.254']);
    expect(sources('10.9.8.7')).toEqual(['10.9.8.7']);
    expect(sources('10.9.8.7', '10.1.1.x')).toEqual(['10.9.8.7', '10.1.1.254']);
    expect(probeSources(options(['10.9.8.x']).clientAddresses, 6)).toEqual([]);
  });
});
