/** Every `--io`, against a real kernel: the same tests, the same answers. Needs root. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadNative } from '../../src/native/load.ts';
import { hasPython, isRoot, makeLab, portableIsBuilt, type Lab } from './io/lab.ts';

const able = {
  ring: isRoot && loadNative().addon !== undefined,
  pcap: isRoot && portableIsBuilt(),
};

describe.each(['ring', 'pcap'] as const)('--io %s', (backend) => {
  let lab: Lab;
  const run = (scenario: string) => lab.run(`${scenario} ${backend}`, 'contract-scenarios.ts');
  const test = it.skipIf(!able[backend]);
  beforeEach(() => {
    if (able[backend]) lab = makeLab(`contract-${backend}`);
  });
  afterEach(() => {
    if (able[backend]) lab.remove();
  });

  test('delivers what was captured before it was stopped, whole, once, in the chosen direction', async () => {
    expect(await run('delivers')).toEqual({
      wrongWay: 0,
      outgoing: 150,
      whole4: 100,
      whole6: 50,
      frames: 150,
      ethernet: true,
      timesSane: true,
      sent: { packets: 200, bytes: 29_000, failed: {} },
    });
  });

  test('shows packets on loopback once', async () => {
    expect(await run('loopback')).toEqual({ in: 100, both: 100, any: 100 });
  });

  test('takes a user expression and the selection together', async () => {
    expect(await run('expression')).toEqual({ frames: 10 });
  });

  it.skipIf(!able[backend] || !hasPython)(
    'reads what VLANs carry, behind two tags too, by one device or all',
    async () => {
      const wanted = ['', 'vlan 5 ', 'vlan 5 / vlan 6 '].flatMap((path) => [4, 6].map((v) => `${path}IPv${v} 8080`));
      expect(await run('tagged')).toEqual({ device: wanted, any: wanted });
    },
  );

  test('keeps the headers of whole segments, and the payload that is wanted', async () => {
    const [headers, some] = [14 + 8 + 60 + 60, 14 + 8 + 60 + 60 + 500];
    const [four, six] = [14 + 20 + 20 + 900, 14 + 40 + 20 + 900];
    expect(await run('limitPayload')).toEqual({
      captured: [headers, headers, four, some, some],
      lengths: [four, six, four, four, six],
    });
  });

  test('shows headers at once and the rest of what is wanted later, everything once', async () => {
    const [headers, some] = [14 + 8 + 60 + 60, 14 + 8 + 60 + 60 + 500];
    const fragment = 14 + 20 + 20 + 900;
    expect(await run('promptHeads')).toEqual({
      rounds: [
        [
          [headers, 40],
          [fragment, 1],
        ],
        [
          [some, 40],
          [fragment, 1],
        ],
        [
          [headers, 40],
          [fragment, 1],
        ],
      ],
      late: 300,
      dropped: 0,
    });
  });

  test('sends with foreign source addresses, IPv4 and IPv6', async () => {
    const { frames, sources } = await run('spoofed');
    expect(frames).toBe(10);
    expect(sources).toEqual(['cb007109', '20010db8000000000000000000000009']);
  });

  test('reports each refused packet by errno name and goes on with the next', async () => {
    expect(await run('refused')).toEqual({
      order: [0, 1, 2, 3],
      failures: ['EMSGSIZE', 'ENETUNREACH', 'EINVAL'],
      stats: { packets: 4, bytes: 560, failed: { EMSGSIZE: 1, ENETUNREACH: 1, EINVAL: 1 } },
    });
  });

  test('reports EPERM from a firewall rule and goes on', async () => {
    lab.sh(
      "nft 'add table ip t; add chain ip t o { type filter hook output priority 0; }; add rule ip t o tcp dport 81 drop'",
    );
    expect(await run('firewalled')).toEqual({ frames: 2, failures: ['EPERM'] });
  });

  test('ends with an error when the device goes down, and delivers what it had', async () => {
    expect(await run('linkDown')).toEqual({
      code: 'E_DEVICE',
      frames: 50,
      opening: 'io-b: the device is down; bring it up: ip link set io-b up [E_DEVICE]',
    });
  });

  test('says in one line what is wrong with device and filter', async () => {
    const { device, filter } = await run('errors');
    expect(device).toMatch(/^io-nowhere: no such network device; devices here: .*io-b.* \[E_DEVICE\]$/);
    expect(filter).toMatch(/^-F: .*syntax error.* \[E_FILTER\]$/);
  });
});
