import { describe, expect, it } from 'vitest';
import { runBpf } from '../../../src/capture/bpf.ts';
import { compileExpression, compileKernelFilter, filterText } from '../../../src/capture/capture-filter.ts';
import type { Selection } from '../../../src/capture/selection.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { loadNative } from '../../../src/native/load.ts';
import { ethernet, ipPacket } from './packets.ts';

const selection: Selection = {
  endpoints: [{ address: parseIp('10.0.0.1'), portFirst: 80, portLast: 81 }],
  direction: 'both',
};
const frame = ethernet(ipPacket({ to: '10.0.0.1', from: '10.0.0.7', toPort: 80 }));
const kept = (program: ReturnType<typeof compileExpression>) => runBpf(program, frame, 0, frame.length, frame.length);

describe('filterText', () => {
  it('names both sides of the endpoints, and what may be part of their segments', () => {
    const text = filterText({ selection })!;
    expect(text).toContain(
      '(tcp dst portrange 80-81 and dst host 10.0.0.1) or (tcp src portrange 80-81 and src host 10.0.0.1)',
    );
    expect(text).toContain('ip[6:2] & 0x1fff != 0');
  });

  it('ands a user expression with the selection', () => {
    expect(filterText({ selection, expression: 'vlan 5 or udp' })).toMatch(/^\(vlan 5 or udp\) and \(/);
    expect(filterText({ expression: 'udp' })).toBe('udp');
    expect(filterText({ selection, expression: ' ' })).toBe(filterText({ selection }));
    expect(filterText({})).toBeUndefined();
  });
});

describe.skipIf(loadNative().addon === undefined)('filterText, compiled', () => {
  const everything: Selection = { ...selection, vxlan: true, notices: true };

  it.each([0, 1, 9, 101, 113, 276])('is understood on devices of link type %i', (linkType) => {
    for (const tagged of [false, true])
      expect(() =>
        compileExpression({ expression: filterText({ selection: everything }, tagged) }, linkType, 96),
      ).not.toThrow();
  });

  it('lets through what has a tag, to be looked into, when it is told to', () => {
    const program = (tagged: boolean) => compileExpression({ expression: filterText({ selection }, tagged) }, 1, 96);
    const other = ipPacket({ to: '10.0.0.2' });
    const keeps = (tagged: boolean, bytes: Uint8Array) => runBpf(program(tagged), bytes, 0, bytes.length, bytes.length);
    expect(keeps(true, ethernet(other, [5], 0x88a8))).toBe(96);
    expect(keeps(true, ethernet(other))).toBe(0);
    expect(keeps(false, ethernet(other, [5], 0x88a8))).toBe(0);
  });
});

describe('compileKernelFilter', () => {
  it('takes everything, cut to the snap length, when nothing is asked for', () => {
    expect(kept(compileKernelFilter({}, 'ethernet', 1, 96))).toBe(96);
  });

  it('refuses a selection longer than a filter may be, and says what to do', () => {
    const endpoints = Array.from({ length: 600 }, (_, i) => ({
      address: parseIp(`fd00::${i}`),
      portFirst: 80,
      portLast: 80,
    }));
    expect(() => compileKernelFilter({ selection: { endpoints, direction: 'to' } }, 'ethernet', 1, 96)).toThrow(
      expect.objectContaining({ code: 'E_FILTER', where: '-x' }),
    );
  });
});

describe.skipIf(loadNative().addon === undefined)('compileExpression', () => {
  it('accepts what both parts accept', () => {
    expect(kept(compileExpression({ selection, expression: 'src host 10.0.0.7' }, 1, 96))).toBe(96);
    expect(kept(compileExpression({ selection, expression: 'src host 10.0.0.8' }, 1, 96))).toBe(0);
    expect(kept(compileExpression({ expression: 'tcp port 81' }, 1, 96))).toBe(0);
  });

  it.each(['tcp prt 80', 'tcp) or (udp', 'port 99999', '('])('refuses %j', (expression) => {
    expect(() => compileExpression({ selection, expression }, 1, 96)).toThrow(
      expect.objectContaining({ code: 'E_FILTER', where: '-F' }),
    );
  });
});
