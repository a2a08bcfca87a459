/** Sending on the device itself, past route and firewall, only where that changes nothing. Needs root. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadNative } from '../../src/native/load.ts';
import { isRoot, makeLab, type Lab } from './io/lab.ts';

const able = isRoot && loadNative().addon !== undefined;

describe.skipIf(!able)('direct sending', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = makeLab('direct');
  });
  afterEach(() => lab.remove());
  const run = (scenario: string) => lab.run(scenario, 'direct-scenarios.ts');

  it('sends every packet once, in order, to the neighbour, and few of them by way of the kernel', async () => {
    const { kernel, said, ...rest } = await run('plain');
    expect(rest).toEqual({
      frames: 940,
      inOrder: true,
      macs: ['020000007702'],
      types: ['0200000077010800', '02000000770186dd'],
      stats: { packets: 940, bytes: 320 * 140 + 320 * 160 + 300 * 140, failed: {} },
    });
    // One of each, so that the kernel sees the neighbour used; two where a second has just gone by.
    for (const n of kernel as number[]) expect([1, 2]).toContain(n);
    expect(said).toEqual([
      expect.stringMatching(/^10\.77\.0\.2 on device \d+ to 02:00:00:00:77:02$/),
      expect.stringMatching(/^fd77::2 on device \d+ to 02:00:00:00:77:02$/),
    ]);
  });

  it('sends what stands for several segments as one, or as those where nothing else is possible', async () => {
    const shown = await run('large');
    const ten = {
      right: true,
      sizes: [...Array<number>(9).fill(1_000), 500],
      flags: [...Array<number>(9).fill(0x10), 0x19],
    };
    for (const [to, headers] of [
      ['10.77.0.2', 40],
      ['fd77::2', 60],
    ] as const) {
      const counted = [10, 9_500 + 10 * headers];
      expect(shown[`device ${to}`]).toEqual({ right: true, sizes: [9_500], flags: [0x19], kernel: false, counted });
      expect(shown[`kernel ${to}`]).toEqual({ ...ten, kernel: false, counted });
      expect(shown[`raw ${to}`]).toEqual({ ...ten, kernel: true, counted });
    }
  });

  it('follows a neighbour to another address, and leaves one it does not know to the kernel', async () => {
    const { said, kernel, ...rest } = await run('neighbour');
    expect(rest).toEqual({ frames: 10, macs: ['020000007702', '020000007709'], unknown: 5 });
    expect(kernel).toBeLessThan(5);
    expect((said as string[]).at(-1)).toMatch(/^10\.77\.0\.2 through a raw socket: its neighbour is not known/);
  });

  it('follows the route to another device, and leaves what is no plain route to the kernel', async () => {
    const { said, gateway, short, ...rest } = await run('route');
    expect(rest).toEqual({
      frames: 20,
      macs: ['020000007802'],
      several: 5,
      failures: [
        ['EINVAL', null],
        ['EMSGSIZE', 600],
      ],
    });
    expect(gateway).toBeLessThan(5);
    expect(short).toBeLessThan(5);
    expect(said).toContain('10.77.0.2 through a raw socket: its route has several ways');
  });

  it('goes back to the kernel at once when the device is down, and on when it is up', async () => {
    const { again, frames, failures } = await run('device');
    expect(frames).toBe(25);
    expect(failures).toHaveLength(3);
    expect([1, 2]).toContain(again);
  });

  it('passes by no firewall', async () => {
    const { said, before, after, ...rest } = await run('firewall');
    expect(rest).toEqual({ frames: 40, failures: ['EPERM', 'EPERM', 'EPERM'] });
    for (const n of [before, after]) expect([1, 2]).toContain(n);
    expect(said).toContain('10.77.0.2 through a raw socket: nftables has a chain for what this host sends');
  });

  it('passes by no IPsec policy', async () => {
    const { said } = await run('ipsec');
    expect(said).toContain('10.77.0.2 through a raw socket: IPsec has a policy for what this host sends');
  });
});
