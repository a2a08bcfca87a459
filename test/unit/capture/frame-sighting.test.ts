import { describe, expect, it } from 'vitest';
import { LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL, LINKTYPE_RAW } from '../../../src/capture/link-type.ts';
import { SightingReader } from '../../../src/capture/frame-sighting.ts';
import { FRAME_OUTGOING, FrameBatch } from '../../../src/core/frame-batch.ts';
import { formatIp, parseIp, toBytes } from '../../../src/core/ip-address.ts';
import { instant } from '../../../src/core/time.ts';
import { cooked, ethernet, ipPacket } from './packets.ts';

function read(frame: Uint8Array, linkType = LINKTYPE_ETHERNET, flags = 0) {
  const batch = new FrameBatch(4, frame);
  batch.add(0, frame.length, frame.length, instant(1), linkType, flags);
  const found = new SightingReader().read(batch, 0, 'eth0', true);
  if (found === undefined) return undefined;
  const { source, destination, reporter, ...rest } = found;
  return { ...rest, source: formatIp(source), destination: formatIp(destination), reporter: formatIp(reporter) };
}

/** An ICMP error from `reporter` about a TCP packet. */
function icmp(reporter: string, quoted: Uint8Array, type: number, code: number): Uint8Array {
  const to = parseIp(reporter)!.version === 4 ? '192.0.2.1' : '2001:db8::1';
  const protocol = to.includes(':') ? 58 : 1;
  const packet = ipPacket({ from: reporter, to, protocol });
  const header = to.includes(':') ? 40 : 20;
  return Uint8Array.from([...packet.subarray(0, header), type, code, 0, 0, 0, 0, 0, 0, ...quoted]);
}

describe('SightingReader', () => {
  it('reads TCP, and whether it left', () => {
    const packet = ipPacket({ from: '192.0.2.10', to: '10.9.8.1', fromPort: 8080, toPort: 2050, seq: 7 });
    expect(read(ethernet(packet), LINKTYPE_ETHERNET, FRAME_OUTGOING)).toMatchObject({
      kind: 'tcp',
      device: 'eth0',
      outgoing: true,
      taken: true,
      source: '192.0.2.10',
      sourcePort: 8080,
      destination: '10.9.8.1',
      destinationPort: 2050,
      seq: 7,
    });
    expect(read(packet, LINKTYPE_RAW)).toMatchObject({ kind: 'tcp', outgoing: false });
  });

  it.each([
    ['192.0.2.20', '192.0.2.10', '10.9.8.1', 3, 1],
    ['2001:db8::20', '2001:db8::10', '2001:db8:9::1', 1, 0],
  ])('reads an ICMP error of %s with the packet it quotes', (reporter, from, to, type, code) => {
    const quoted = ipPacket({ from, to, fromPort: 8080, toPort: 2050, seq: 9 });
    const frame = icmp(reporter, quoted.subarray(0, from.includes(':') ? 48 : 28), type, code);
    for (const tags of [[], [5], [5, 6]]) {
      expect(read(cooked(frame, tags), LINKTYPE_LINUX_SLL)).toEqual(read(ethernet(frame, tags)));
      expect(read(ethernet(frame, tags))).toEqual(read(ethernet(frame)));
    }
    expect(read(ethernet(frame))).toMatchObject({
      kind: 'icmp',
      reporter,
      source: from,
      sourcePort: 8080,
      destination: to,
      destinationPort: 2050,
      seq: 9,
      icmpType: type,
      icmpCode: code,
    });
  });

  it('reads who asks by ARP for whom', () => {
    const arp = [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, ...toBytes(parseIp('192.0.2.10')!)];
    const frame = [...Array<number>(12).fill(255), 8, 6, ...arp, 0, 0, 0, 0, 0, 0, ...toBytes(parseIp('10.9.8.1')!)];
    expect(read(Uint8Array.from(frame))).toMatchObject({
      kind: 'arp',
      source: '192.0.2.10',
      destination: '10.9.8.1',
    });
    frame[21] = 2;
    expect(read(Uint8Array.from(frame))).toBeUndefined();
  });

  it('leaves alone what is neither, and what is cut short anywhere', () => {
    expect(read(icmp('192.0.2.20', ipPacket({ to: '10.9.8.1' }), 8, 0), LINKTYPE_RAW)).toBeUndefined();
    expect(read(ethernet(ipPacket({ to: '10.9.8.1', protocol: 17 })))).toBeUndefined();
    const error = ethernet(icmp('192.0.2.20', ipPacket({ to: '10.9.8.1' }), 3, 1));
    for (let length = 0; length < 14 + 20 + 8 + 28; length++) expect(read(error.subarray(0, length))).toBeUndefined();
  });
});
