/** IP packets and frames for tests, written plainly. */
import { parseIp, toBytes } from '../../../src/core/ip-address.ts';

export interface PacketSpec {
  readonly from?: string;
  readonly to: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly protocol?: number;
  readonly payload?: Uint8Array;
  readonly seq?: number;
  /** IPv4: fragment offset in units of 8 bytes, and whether more follow. IPv6: a fragment header is inserted. */
  readonly fragment?: { readonly offset: number; readonly more: boolean };
  /** IPv4 header words beyond the first five. */
  readonly optionWords?: number;
}

const be16 = (n: number) => [(n >> 8) & 255, n & 255];
const be32 = (n: number) => [...be16(n >>> 16), ...be16(n & 0xffff)];

export function ipPacket(spec: PacketSpec): Uint8Array {
  const to = parseIp(spec.to)!;
  const from = parseIp(spec.from ?? (to.version === 4 ? '10.77.0.1' : 'fd77::1'))!;
  const protocol = spec.protocol ?? 6;
  const ports = [...be16(spec.fromPort ?? 40000), ...be16(spec.toPort ?? 80)];
  const tcp = [...ports, ...be32(spec.seq ?? 0), ...be32(0), 0x50, 0x18, ...be16(1000), ...be16(0), ...be16(0)];
  const udp = [...ports, ...be16(8 + (spec.payload?.length ?? 0)), ...be16(0)];
  const later = spec.fragment !== undefined && spec.fragment.offset > 0;
  const body = [...(later ? [] : protocol === 6 ? tcp : udp), ...(spec.payload ?? [])];
  if (to.version === 4) {
    const words = 5 + (spec.optionWords ?? 0);
    const fragment = (spec.fragment?.offset ?? 0) | (spec.fragment?.more === true ? 0x2000 : 0x4000);
    const head = [0x40 | words, 0, ...be16(words * 4 + body.length), 0, 1, ...be16(fragment), 64, protocol, 0, 0];
    return Uint8Array.from([
      ...head,
      ...toBytes(from),
      ...toBytes(to),
      ...Array<number>(4 * (words - 5)).fill(1),
      ...body,
    ]);
  }
  const { fragment } = spec;
  const extension =
    fragment === undefined ? [] : [protocol, 0, ...be16((fragment.offset << 3) | Number(fragment.more)), 0, 0, 0, 9];
  const next = fragment === undefined ? protocol : 44;
  const head = [0x60, 0, 0, 0, ...be16(extension.length + body.length), next, 64];
  return Uint8Array.from([...head, ...toBytes(from), ...toBytes(to), ...extension, ...body]);
}

/** An Ethernet frame around a packet, with the VLAN tags given, outermost first. */
export function ethernet(packet: Uint8Array, vlans: readonly number[] = [], outerType = 0x8100): Uint8Array {
  const type = packet[0]! >> 4 === 4 ? 0x0800 : 0x86dd;
  const tags = vlans.flatMap((tci, i) => [...be16(i === 0 && vlans.length > 1 ? outerType : 0x8100), ...be16(tci)]);
  return Uint8Array.from([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, ...tags, ...be16(type), ...packet]);
}

/** A frame as captured on `any` (LINKTYPE_LINUX_SLL), as `ethernet`. */
export function cooked(packet: Uint8Array, vlans: readonly number[] = [], outerType = 0x8100): Uint8Array {
  const behindAddresses = ethernet(packet, vlans, outerType).subarray(12);
  return Uint8Array.from([0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 2, 0, 0, ...behindAddresses]);
}
