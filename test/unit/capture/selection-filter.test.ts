import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfProgram, runBpf } from '../../../src/capture/bpf.ts';
import { selectionText, type SelectedEndpoint, type Selection } from '../../../src/capture/selection.ts';
import { compileSelection, type FrameShape } from '../../../src/capture/selection-filter.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { loadNative } from '../../../src/native/load.ts';
import { ethernet, ipPacket, type PacketSpec } from './packets.ts';

const SNAP = 0x40000;
const HOSTS = ['10.0.0.1', '10.0.0.2', '192.168.255.1', '2001:db8::1', '2001:db8::2', '2001:db8:1::1'];
const PORTS = [79, 80, 81, 443, 8000, 8005, 8010, 65535, 4789];

const at = (address: string | undefined, portFirst: number, portLast = portFirst): SelectedEndpoint => ({
  address: address === undefined ? undefined : parseIp(address),
  portFirst,
  portLast,
});
const to = (...endpoints: SelectedEndpoint[]): Selection => ({ endpoints, direction: 'to' });

/** The frame in each shape, with the EtherType that the kernel would report. */
function shaped(packet: Uint8Array, shape: FrameShape, vlans: number[]): { frame: Uint8Array; protocol: number } {
  const whole = ethernet(packet, vlans, 0x88a8);
  const type = whole.subarray(12, 14);
  const protocol = (type[0]! << 8) | type[1]!;
  const rest = whole.subarray(14);
  const prefix: Record<FrameShape, number[]> = {
    ethernet: [...whole.subarray(0, 14)],
    raw: [],
    cooked: [],
    sll: [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, ...type],
    sll2: [...type, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0],
  };
  return { frame: Uint8Array.from([...prefix[shape], ...rest]), protocol };
}

function accepts(
  selection: Selection,
  packet: Uint8Array,
  shape: FrameShape = 'ethernet',
  vlans: number[] = [],
): boolean {
  const { frame, protocol } = shaped(packet, shape, vlans);
  const kept = runBpf(compileSelection(selection, shape, SNAP), frame, 0, frame.length, frame.length, protocol);
  expect([0, SNAP]).toContain(kept);
  return kept > 0;
}

/** What a selection means, said dully. */
function model(
  { endpoints, direction, vxlan, notices }: Selection,
  p: Required<Pick<PacketSpec, 'from' | 'to' | 'fromPort' | 'toPort'>> & PacketSpec,
): boolean {
  const protocol = p.protocol ?? 6;
  const v6 = p.to.includes(':');
  const later = p.fragment !== undefined && p.fragment.offset > 0;
  const portless = p.fragment !== undefined && (v6 || later);
  if (protocol === 17) return vxlan === true && p.toPort === 4789 && !(v6 && p.fragment !== undefined);
  if (protocol !== 6) return notices === true && protocol === (v6 ? 58 : 1);
  const side = (host: string, port: number) =>
    endpoints.some(
      (e) =>
        (e.address === undefined || JSON.stringify(e.address) === JSON.stringify(parseIp(host))) &&
        (portless || (port >= e.portFirst && port <= e.portLast)),
    );
  return (direction !== 'from' && side(p.to, p.toPort)) || (direction !== 'to' && side(p.from, p.fromPort));
}

const endpoint = fc
  .record({
    host: fc.option(fc.constantFrom(...HOSTS), { nil: undefined, freq: 6 }),
    a: fc.constantFrom(...PORTS),
    b: fc.constantFrom(...PORTS),
  })
  .map(({ host, a, b }) => at(host, Math.min(a, b), Math.max(a, b)));
const selections = fc.record({
  endpoints: fc.array(endpoint, { minLength: 1, maxLength: 8 }),
  direction: fc.constantFrom('to' as const, 'from' as const, 'both' as const),
  vxlan: fc.boolean(),
  notices: fc.boolean(),
});
const packets = fc
  .record({
    v6: fc.boolean(),
    from: fc.nat(2),
    to: fc.nat(2),
    fromPort: fc.constantFrom(...PORTS),
    toPort: fc.constantFrom(...PORTS),
    protocol: fc.constantFrom(6, 6, 6, 17, 1, 58),
    optionWords: fc.constantFrom(0, 0, 3, 10),
    fragment: fc.constantFrom(
      undefined,
      undefined,
      { offset: 0, more: true },
      { offset: 185, more: false },
      { offset: 8191, more: true },
    ),
    payload: fc.uint8Array({ maxLength: 20 }),
  })
  .map(({ v6, from, to: toHost, fragment, ...rest }) => {
    const hosts = v6 ? HOSTS.slice(3) : HOSTS.slice(0, 3);
    // A first UDP fragment shows its ports, a later one need not: not asked about here.
    const asked = rest.protocol !== 6 ? undefined : fragment;
    const spec = { ...rest, from: hosts[from]!, to: hosts[toHost]! };
    return asked === undefined ? spec : { ...spec, fragment: asked };
  });

describe('compileSelection', () => {
  it('selects by address and port', () => {
    const selection = to(at('10.0.0.1', 80), at('10.0.0.1', 8000, 8010), at('2001:db8::1', 443));
    expect(accepts(selection, ipPacket({ to: '10.0.0.1', toPort: 80 }))).toBe(true);
    expect(accepts(selection, ipPacket({ to: '10.0.0.1', toPort: 8010 }))).toBe(true);
    expect(accepts(selection, ipPacket({ to: '10.0.0.1', toPort: 8011 }))).toBe(false);
    expect(accepts(selection, ipPacket({ to: '10.0.0.2', toPort: 80 }))).toBe(false);
    expect(accepts(selection, ipPacket({ to: '10.0.0.9', from: '10.0.0.1', fromPort: 80, toPort: 9 }))).toBe(false);
    expect(accepts(selection, ipPacket({ to: '2001:db8::1', toPort: 443 }))).toBe(true);
    expect(accepts(selection, ipPacket({ to: '2001:db8::2', toPort: 443 }))).toBe(false);
    expect(accepts(selection, ipPacket({ to: '10.0.0.1', toPort: 80, protocol: 17 }))).toBe(false);
  });

  it('is what it means, for every frame shape and tagging', () => {
    const shape = fc.constantFrom<FrameShape>('ethernet', 'raw', 'cooked', 'sll', 'sll2');
    const vlans = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 2 });
    fc.assert(
      fc.property(selections, packets, shape, vlans, (selection, spec, form, tags) => {
        const tagged = form === 'raw' ? [] : tags;
        expect(accepts(selection, ipPacket(spec), form, tagged)).toBe(model(selection, spec));
      }),
      { numRuns: 3_000 },
    );
  });

  it('cuts whole TCP segments alone to a length of their own', () => {
    const shape = fc.constantFrom<FrameShape>('ethernet', 'raw', 'cooked', 'sll', 'sll2');
    fc.assert(
      fc.property(selections, packets, shape, (selection, spec, form) => {
        const { frame, protocol } = shaped(ipPacket(spec), form, []);
        const program = compileSelection(selection, form, SNAP, 150);
        const whole = (spec.protocol ?? 6) === 6 && !('fragment' in spec);
        const kept = runBpf(program, frame, 0, frame.length, frame.length, protocol);
        expect(kept).toBe(!model(selection, spec) ? 0 : whole ? 150 : SNAP);
      }),
      { numRuns: 3_000 },
    );
  });

  it.skipIf(loadNative().addon === undefined)('says the same as its text does to libpcap', () => {
    const DLT_RAW = 12;
    fc.assert(
      fc.property(selections, packets, (selection, spec) => {
        const text = loadNative().addon!.compileFilter(DLT_RAW, SNAP, selectionText(selection));
        const packet = ipPacket(spec);
        const kept = runBpf(BpfProgram.fromBytes(text), packet, 0, packet.length, packet.length);
        expect(kept > 0).toBe(accepts(selection, packet, 'raw'));
      }),
      { numRuns: 400 },
    );
  });

  it('lets IPv6 extension headers before TCP pass by address, and nothing else with extension headers', () => {
    const selection = to(at('2001:db8::1', 80));
    const extended = (host: string, next: number) => {
      const packet = ipPacket({ to: host, toPort: 80, fragment: { offset: 0, more: false } });
      packet[6] = 60; // destination options, 8 bytes, then `next`
      packet[40] = next;
      return packet;
    };
    expect(accepts(selection, extended('2001:db8::1', 6))).toBe(true);
    expect(accepts(selection, extended('2001:db8::1', 44))).toBe(true);
    expect(accepts(selection, extended('2001:db8::1', 58))).toBe(false);
    expect(accepts(selection, extended('2001:db8::2', 6))).toBe(false);
  });

  it('rejects frames that are not IP, and headers that are cut', () => {
    const selection = to(at(undefined, 0, 65535));
    const arp = ethernet(ipPacket({ to: '10.0.0.1' }));
    arp[13] = 0x06;
    const program = compileSelection(selection, 'ethernet', SNAP);
    expect(runBpf(program, arp, 0, arp.length, arp.length)).toBe(0);
    const curious = compileSelection({ ...selection, notices: true }, 'ethernet', SNAP);
    expect(runBpf(curious, arp, 0, arp.length, arp.length)).toBe(SNAP);
    const whole = ethernet(ipPacket({ to: '10.0.0.1', toPort: 80 }));
    for (let cut = 0; cut < 38; cut++) expect(runBpf(program, whole, 0, cut, whole.length)).toBe(0);
    expect(runBpf(program, whole, 0, 38, whole.length)).toBe(SNAP);
  });

  it('holds a hundred mappings', () => {
    const endpoints = Array.from({ length: 100 }, (_, i) => [
      at(`10.1.0.${i}`, 1_000 + i),
      at(`fd00::${i}`, 1_000 + i),
    ]).flat();
    for (const direction of ['to', 'both'] as const) {
      const selection: Selection = { endpoints, direction };
      for (const i of [0, 50, 99]) {
        expect(accepts(selection, ipPacket({ to: `10.1.0.${i}`, toPort: 1_000 + i }))).toBe(true);
        expect(accepts(selection, ipPacket({ to: `10.1.0.${i}`, toPort: 1_001 + i }))).toBe(false);
        expect(accepts(selection, ipPacket({ to: `fd00::${i}`, toPort: 1_000 + i }))).toBe(true);
        expect(accepts(selection, ipPacket({ to: 'fd01::1', from: `fd00::${i}`, fromPort: 1_000 + i }))).toBe(
          direction === 'both',
        );
      }
    }
  });
});
