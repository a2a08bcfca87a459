import { describe, expect, it } from 'vitest';
import { runBpf } from '../../../src/capture/bpf.ts';
import { compileExpression } from '../../../src/capture/capture-filter.ts';
import { coarseFilter, exactFilter, lastingFilter } from '../../../src/intercept/capture-selection.ts';
import { loadNative } from '../../../src/native/load.ts';
import { cooked, ethernet, ipPacket } from '../capture/packets.ts';
import { ip } from '../control/samples.ts';

const web = { address: ip('192.0.2.1'), portFirst: 80, portLast: 80 };
const other = { address: ip('2001:db8::1'), portFirst: 3000, portLast: 3010 };

describe('capture filter', () => {
  it('names each target once, whichever instances want it', () => {
    expect(exactFilter([web, other, { ...web }], 'not host 1.2.3.4')).toEqual({
      selection: { endpoints: [web, other], direction: 'from' },
      expression: 'not host 1.2.3.4',
    });
  });

  it('matches nothing while nobody is connected', () => {
    expect(exactFilter([], undefined).selection?.endpoints).toEqual([{ portFirst: 0, portLast: 0 }]);
  });

  it('covers all ports of all targets when it is coarse', () => {
    expect(coarseFilter([other, web], undefined).selection?.endpoints).toEqual([{ portFirst: 80, portLast: 3010 }]);
  });
});

describe.skipIf(loadNative().addon === undefined)('lasting filter', () => {
  const kept = (frame: Uint8Array, linkType: number, expression?: string) => {
    const program = compileExpression(lastingFilter(expression, 36524), linkType, 96);
    return runBpf(program, frame, 0, frame.length, frame.length) > 0;
  };

  it.each([0, 1, 9, 101, 113, 276])('is understood on devices of link type %i', (linkType) => {
    expect(kept(ipPacket({ to: '192.0.2.1' }), linkType)).toBe(linkType === 101);
  });

  it('takes TCP behind tags or not, on a device and on any, but not what the control channel sends', () => {
    for (const [link, linkType] of [
      [ethernet, 1],
      [cooked, 113],
    ] as const) {
      for (const to of ['192.0.2.1', '2001:db8::1']) {
        for (const tags of [[], [5], [5, 6]]) expect(kept(link(ipPacket({ to }), tags, 0x88a8), linkType)).toBe(true);
        expect(kept(link(ipPacket({ to, fromPort: 36524 })), linkType)).toBe(false);
        // A response to a session that has this number as its port.
        expect(kept(link(ipPacket({ to, fromPort: 80, toPort: 36524 })), linkType)).toBe(true);
      }
      expect(kept(link(ipPacket({ to: '192.0.2.1', protocol: 17 })), linkType)).toBe(false);
    }
  });

  it('takes what an expression takes of that', () => {
    expect(kept(ethernet(ipPacket({ to: '192.0.2.1' })), 1, 'udp or dst host 192.0.2.1')).toBe(true);
    expect(kept(ethernet(ipPacket({ to: '192.0.2.2' })), 1, 'udp or dst host 192.0.2.1')).toBe(false);
  });
});
