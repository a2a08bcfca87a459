import { describe, expect, it } from 'vitest';
import { LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL, LINKTYPE_RAW } from '../../../src/capture/link-type.ts';
import type { Selection } from '../../../src/capture/selection.ts';
import { kernelTakes, TaggedFrames } from '../../../src/capture/tagged-frames.ts';
import { BPF_ABS, BPF_H, BPF_JEQ, BPF_JMP, BPF_LD, BPF_RET, BpfProgram } from '../../../src/capture/bpf.ts';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { instant } from '../../../src/core/time.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { cooked, ethernet, ipPacket, type PacketSpec } from './packets.ts';

const WEB: Selection = { endpoints: [{ portFirst: 80, portLast: 80 }], direction: 'to' };
const PACKETS: readonly PacketSpec[] = [{ to: '10.0.0.1' }, { to: '2001:db8::1' }];
const FRAMES = { [LINKTYPE_ETHERNET]: ethernet, [LINKTYPE_LINUX_SLL]: cooked } as const;

describe.each([LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL] as const)('TaggedFrames of link type %i', (linkType) => {
  const wanted = (selection: Selection | undefined, spec: PacketSpec, ...tags: number[]) => {
    const frame = FRAMES[linkType](ipPacket(spec), tags);
    return new TaggedFrames(linkType, selection).wanted(frame, frame.length);
  };

  it.each(PACKETS)('looks behind one tag and two for what is selected: %j', (spec) => {
    for (const tags of [[5], [5, 6]]) {
      expect(wanted(WEB, spec, ...tags)).toBe(true);
      expect(wanted(WEB, { ...spec, toPort: 81 }, ...tags)).toBe(false);
      expect(wanted(undefined, { ...spec, toPort: 81 }, ...tags)).toBe(true);
    }
  });

  it('leaves frames without tags alone, and those that end too early', () => {
    expect(wanted(WEB, { to: '10.0.0.1', toPort: 81 })).toBe(true);
    for (let length = 0; length < 30; length++) {
      const frame = FRAMES[linkType](ipPacket({ to: '10.0.0.1' }), [5, 6]).subarray(0, length);
      expect(new TaggedFrames(linkType, WEB).wanted(frame, length)).toBe(length < (linkType === 1 ? 14 : 16));
    }
  });

  it('takes everything where the selection is longer than a program may be', () => {
    const endpoints = Array.from({ length: 600 }, (_, i) => ({
      address: parseIp(`fd00::${i}`),
      portFirst: 80,
      portLast: 80,
    }));
    expect(wanted({ endpoints, direction: 'to' }, { to: '10.0.0.1', toPort: 81 }, 5)).toBe(true);
  });
});

describe('TaggedFrames', () => {
  it.each(PACKETS)('names the second tag of a cooked frame that the kernel calls by what is innermost: %j', (spec) => {
    const [asItIs, reported] = [cooked(ipPacket(spec), [5, 6]), cooked(ipPacket(spec), [5, 6])];
    reported.set(reported.subarray(22, 24), 18);
    expect(new TaggedFrames(LINKTYPE_LINUX_SLL, WEB).wanted(reported, reported.length)).toBe(true);
    expect(reported).toEqual(asItIs);
  });

  it('knows an IPv4 packet that looks as if it had another tag by its length', () => {
    const packet = ipPacket({ to: '10.0.0.1', payload: new Uint8Array(0x0800 - 40) });
    packet[4] = 0x40; // its id, where a packet behind another tag would begin
    const frame = cooked(packet, [5]);
    const before = frame.slice();
    expect(new TaggedFrames(LINKTYPE_LINUX_SLL, WEB).wanted(frame, frame.length)).toBe(true);
    expect(frame).toEqual(before);
  });

  it('knows no tags elsewhere', () => {
    const packet = ipPacket({ to: '10.0.0.1', toPort: 81 });
    expect(new TaggedFrames(LINKTYPE_RAW, WEB).wanted(packet, packet.length)).toBe(true);
  });
});

describe('kernelTakes', () => {
  /** Takes what has this EtherType at `at`. */
  const ofType = (at: number, type: number): BpfProgram =>
    new BpfProgram([
      { code: BPF_LD | BPF_H | BPF_ABS, jt: 0, jf: 0, k: at },
      { code: BPF_JMP | BPF_JEQ, jt: 0, jf: 1, k: type },
      { code: BPF_RET, jt: 0, jf: 0, k: 96 },
      { code: BPF_RET, jt: 0, jf: 0, k: 0 },
    ]);
  const takes = (program: BpfProgram, frame: Uint8Array, linkType: number, strippedTag?: number) => {
    const batch = new FrameBatch(1, frame);
    batch.add(0, frame.length, frame.length, instant(1), linkType, 0, strippedTag);
    return kernelTakes(program, batch, 0);
  };
  const packet = ipPacket({ to: '10.0.0.1' });

  it('sees a frame without the tag that libpcap has put back', () => {
    for (const [link, linkType, at] of [
      [ethernet, LINKTYPE_ETHERNET, 12],
      [cooked, LINKTYPE_LINUX_SLL, 14],
    ] as const) {
      for (const tags of [[], [5]]) expect(takes(ofType(at, 0x0800), link(packet, tags), linkType)).toBe(true);
      expect(takes(ofType(at, 0x0800), link(packet, [5, 6], 0x88a8), linkType)).toBe(false);
      expect(takes(ofType(at, 0x8100), link(packet, [5, 6], 0x88a8), linkType)).toBe(true);
    }
  });

  it('leaves a second tag where it is, when the first is beside the frame', () => {
    expect(takes(ofType(12, 0x8100), ethernet(packet, [6]), LINKTYPE_ETHERNET, 5)).toBe(true);
  });
});
