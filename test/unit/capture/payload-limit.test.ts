import { describe, expect, it } from 'vitest';
import { LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL, LINKTYPE_NULL, LINKTYPE_RAW } from '../../../src/capture/link-type.ts';
import { lengthFor, wantedLength } from '../../../src/capture/payload-limit.ts';
import { cooked, ethernet, ipPacket, type PacketSpec } from './packets.ts';

const payload = new Uint8Array(1_000);
const FOUR: PacketSpec = { to: '10.0.0.1', payload };
const SIX: PacketSpec = { to: '2001:db8::1', payload };
const kept = (frame: Uint8Array, linkType = LINKTYPE_ETHERNET, limit = 10) =>
  wantedLength(frame, frame.length, linkType, limit);

describe('wantedLength', () => {
  it('holds every header there may be, and the payload', () => {
    const vlans = [1, 2];
    const longest = ethernet(ipPacket({ ...FOUR, optionWords: 10 }), vlans, 0x88a8);
    expect(lengthFor(10)).toBeGreaterThanOrEqual(longest.length - payload.length + 40 + 10);
    expect(kept(longest)).toBe(lengthFor(10));
  });

  it('cuts whole TCP segments behind each link header', () => {
    for (const spec of [FOUR, SIX]) {
      const packet = ipPacket(spec);
      expect(kept(ethernet(packet))).toBe(lengthFor(10));
      expect(kept(ethernet(packet, [7]))).toBe(lengthFor(10));
      expect(kept(packet, LINKTYPE_RAW)).toBe(lengthFor(10));
      for (const tags of [[], [7], [7, 8]]) expect(kept(cooked(packet, tags), LINKTYPE_LINUX_SLL)).toBe(lengthFor(10));
    }
  });

  it('keeps whole what is short, in fragments, or nothing it knows', () => {
    const short = ethernet(ipPacket({ to: '10.0.0.1', payload: new Uint8Array(20) }));
    const whole = [
      short,
      ...[FOUR, SIX].flatMap((spec) => [
        ethernet(ipPacket({ ...spec, fragment: { offset: 0, more: true } })),
        ethernet(ipPacket({ ...spec, fragment: { offset: 100, more: false } })),
        ethernet(ipPacket({ ...spec, protocol: 17 })),
      ]),
    ];
    for (const frame of whole) expect(kept(frame)).toBe(frame.length);
    const packet = ipPacket(FOUR);
    expect(kept(packet, LINKTYPE_NULL)).toBe(packet.length);
    expect(kept(packet, LINKTYPE_RAW, 2_000)).toBe(packet.length);
  });
});
