/** What the native ring and raw sockets must do against a real kernel, whatever they are run under. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hasPython, type Lab } from './lab.ts';

/** To be called inside a `describe`; each test gets a lab of its own. */
export function ringTests(newLab: () => Lab): void {
  let lab: Lab;
  beforeEach(() => {
    lab = newLab();
  });
  afterEach(() => lab.remove());

  it('delivers every packet once, in order, with its bytes, time and direction', async () => {
    expect(await lab.run('inbound')).toEqual({
      a: 0,
      out: 5_000,
      outgoing: true,
      b: 5_000,
      inOrder: true,
      bytesEqual: true,
      ethernet: true,
      timesSane: true,
      timesRise: true,
      stats: { frames: 5_000, kernelDropped: 0, unreadable: [] },
      sinkStats: { packets: 5_000, bytes: 700_000, failed: {} },
    });
  });

  it('loses nothing when it is stopped right after the last packet', async () => {
    expect(await lab.run('stopAtOnce')).toEqual({ missing: [] });
  });

  it('lets only selected packets in, and changes the selection in place', async () => {
    expect(await lab.run('selection')).toEqual({ first: 100, all: 200 });
  });

  it('takes a hundred mappings of each family', async () => {
    expect(await lab.run('manyMappings')).toEqual({ frames: 2 });
  });

  it('cuts frames to the snap length', async () => {
    expect(await lab.run('snapLength')).toEqual({ captured: [60, 60, 60], length: [154, 154, 154] });
  });

  it('shows packets on loopback once, whatever the direction', async () => {
    expect(await lab.run('loopback')).toEqual({
      in: [100, 1],
      both: [100, 1],
      any: [100, 101],
      anyBoth: [100, 101],
      anyOut: [100, 101],
    });
  });

  it('captures every device as any', async () => {
    expect(await lab.run('any')).toEqual({ raw: 200, versions: [4, 6], expression: 200 });
  });

  it.skipIf(!hasPython)('reads devices without link headers as raw IP', async () => {
    expect(await lab.run('tun')).toEqual({ frames: 10, raw: true });
  });

  it.skipIf(!hasPython)('keeps VLAN tags: the first as the kernel stripped it, the others in the frame', async () => {
    const ip = '4500008c00014000400600000a4d00010a4d0002';
    expect(await lab.run('vlan')).toEqual({
      ethernet: [
        [1, 5, `0800${ip.slice(0, 12)}`],
        [1, 5, `81000006${`0800${ip}`.slice(0, 8)}`],
      ],
      any: [
        [101, 5, ip],
        [113, 5, '0000810000060800'],
      ],
    });
  });

  it('counts what the kernel dropped: nothing is unaccounted for', async () => {
    const { sent, frames, kernelDropped } = await lab.run('kernelDrops');
    expect(kernelDropped).toBeGreaterThan(0);
    expect(frames).toBeGreaterThan(0);
    expect(Number(frames) + Number(kernelDropped)).toBe(sent);
  });

  it('puts aside what fills it up, so that a slow reader loses nothing', async () => {
    expect(await lab.run('slowReader')).toEqual({ frames: 300, kernelDropped: 0, inOrder: true });
  });

  it('ends with an error when the device goes down, and delivers what it had', async () => {
    expect(await lab.run('linkDown')).toEqual({
      code: 'E_DEVICE',
      frames: 50,
      opening: 'io-b: the device is down; bring it up: ip link set io-b up [E_DEVICE]',
    });
  });

  it('ends with an error when the device is deleted', async () => {
    expect(await lab.run('linkDeleted')).toEqual({ code: 'E_DEVICE', frames: 50 });
  });

  it('says in one line what is wrong with device, filter and buffer', async () => {
    const lines = await lab.run('errors');
    expect(lines['device']).toMatch(/^io-nowhere: no such network device; devices here: .*io-b.* \[E_DEVICE\]$/);
    expect(lines['filter']).toMatch(/^-F: .*syntax error.* \[E_FILTER\]$/);
    expect(lines['parentheses']).toMatch(/^-F: .*syntax error.* \[E_FILTER\]$/);
    expect(lines['memory']).toMatch(/^-B: .* \[E_OPTION\]$/);
  });

  it('takes a user expression and the selection together', async () => {
    expect(await lab.run('expression')).toEqual({ frames: 10 });
  });

  it('sends with foreign source addresses, IPv4 and IPv6', async () => {
    const { frames, sources } = await lab.run('spoofed');
    expect(frames).toBe(10);
    expect(sources).toEqual(['203.0.113.9', '32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.9']);
  });

  it('reports each refused packet with its reason and goes on with the next', async () => {
    expect(await lab.run('refused')).toEqual({
      frames: 5,
      failures: [
        ['EMSGSIZE', 600, 940],
        ['ENETUNREACH', null, 40],
        ['EMSGSIZE', 1500, 1660],
        ['EINVAL', null, 3],
      ],
      stats: { packets: 5, bytes: 700, failed: { EMSGSIZE: 2, ENETUNREACH: 1, EINVAL: 1 } },
    });
  });

  it('sends straight to the device where the next hop is known, and knows when it no longer takes as much', async () => {
    expect(await lab.run('direct')).toEqual({
      frames: 402,
      inOrder: true,
      failures: [['EMSGSIZE', 600]],
      told: ['10.77.0.2', 'fd77::2'].map((to) => `packets to ${to} are sent on device N to 02:00:00:00:77:02`),
    });
  });

  it('reports EPERM from a firewall rule and goes on', async () => {
    lab.sh(
      "nft 'add table ip t; add chain ip t o { type filter hook output priority 0; }; add rule ip t o tcp dport 81 drop'",
    );
    expect(await lab.run('firewalled')).toEqual({ frames: 2, failures: ['EPERM'] });
  });

  it('waits for a slow device in order, without loss', async () => {
    lab.sh('tc qdisc add dev io-a root tbf rate 20mbit burst 4k limit 20k');
    expect(await lab.run('backpressure')).toEqual({ waits: true, frames: 2_000, inOrder: true, failures: 0 });
  });

  it('sets a mark and a device', async () => {
    lab.ip('rule', 'add', 'fwmark', '7', 'table', '77');
    lab.ip('route', 'add', 'unreachable', 'default', 'table', '77');
    expect(await lab.run('mark')).toEqual({ frames: 5, marked: ['EHOSTUNREACH'], plain: [] });
  });

  it('leaves no view of the ring behind after close', async () => {
    expect(await lab.run('closed')).toEqual({ before: [true, true], after: [0, 0, 0], poll: true });
  });

  it('survives sources that are never closed, also in a worker', async () => {
    expect(await lab.run('forgotten')).toEqual({ code: 0 });
  });
}
