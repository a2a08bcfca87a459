import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { LeaseTable } from '../../../src/control/lease-table.ts';
import { TARGETS } from '../../../src/control/protocol.ts';
import { Instance } from '../../../src/intercept/instance.ts';
import { Router } from '../../../src/intercept/router.ts';
import { ip, segment } from '../control/samples.ts';

function setUp() {
  const leases = new LeaseTable({ silence: seconds(30) });
  const a = new Instance('a', 0, 0);
  const b = new Instance('b', 1, 0);
  leases.reclaim(0, [2]);
  leases.reclaim(1, [3]);
  a.setTargets({ type: TARGETS, targets: [{ address: ip('192.0.2.1'), portFirst: 80, portLast: 80 }], clients: [] });
  b.setTargets({
    type: TARGETS,
    targets: [{ address: ip('192.0.2.1'), portFirst: 80, portLast: 90 }],
    clients: [{ first: ip('10.0.0.0'), count: 16 }],
  });
  return { router: new Router(leases, [a, b]), a, b };
}

describe('Router', () => {
  it('finds the owner by the destination port', () => {
    const { router, a, b } = setUp();
    expect(router.route(segment({ dstPort: 2048 }))).toBe(a);
    expect(router.route(segment({ dstPort: 3071 }))).toBe(a);
    expect(router.route(segment({ dstPort: 3072 }))).toBe(b);
    expect(router.route(segment({ dstPort: 4095 }))).toBe(b);
  });

  it('leaves alone what is leased to nobody, or not from a target, or not to a session address', () => {
    const { router } = setUp();
    expect(router.route(segment({ dstPort: 2047 }))).toBeUndefined();
    expect(router.route(segment({ dstPort: 4096 }))).toBeUndefined();
    expect(router.route(segment({ dstPort: 80 }))).toBeUndefined();
    expect(router.route(segment({ dstPort: 2048, srcPort: 81 }))).toBeUndefined();
    expect(router.route(segment({ dstPort: 2048, src: '192.0.2.2' }))).toBeUndefined();
    expect(router.route(segment({ dstPort: 3072, dst: '10.0.0.16' }))).toBeUndefined();
    expect(router.route(segment({ dstPort: 2048, src: '2001:db8::1', dst: '2001:db8::2' }))).toBeUndefined();
  });

  it('takes any client address when none is named, and those named only', () => {
    const { router, a, b } = setUp();
    expect(router.route(segment({ dstPort: 2048, dst: '203.0.113.9' }))).toBe(a);
    expect(router.route(segment({ dstPort: 3072, dst: '10.0.0.15' }))).toBe(b);
  });
});
