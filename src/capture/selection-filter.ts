/**
 * The selection as classic BPF of our own, so that the ordinary case needs no libpcap.
 *
 * The program finds the IP header (behind up to two VLAN tags that the frame still holds) and keeps its offset in X.
 * Packets with TCP ports at a known place are matched by address and port. Those that may be part of a wanted segment
 * but show no ports are let through by address alone, to be put together later: IPv4 fragments after the first, and IPv6
 * packets with extension headers. Whole segments may be cut shorter than those.
 */
import type { IpAddress } from '../core/ip-address.ts';
import { BpfAssembler, type BpfLabel } from './bpf-assembler.ts';
import {
  BPF_ABS,
  BPF_ACCUMULATOR,
  BPF_ADD,
  BPF_ALU,
  BPF_ANCILLARY_PROTOCOL,
  BPF_AND,
  BPF_B,
  BPF_H,
  BPF_IMM,
  BPF_IND,
  BPF_JEQ,
  BPF_JGE,
  BPF_JGT,
  BPF_JSET,
  BPF_LD,
  BPF_LDX,
  BPF_LSH,
  BPF_MEM,
  BPF_MISC,
  BPF_RET,
  BPF_RSH,
  BPF_ST,
  BPF_STX,
  BPF_TAX,
  BPF_W,
  BPF_X,
  type BpfProgram,
} from './bpf.ts';
import {
  IPV6_EXTENSIONS,
  VLAN_TAGS,
  VLAN_TYPES,
  VXLAN_PORT,
  type SelectedEndpoint,
  type Selection,
} from './selection.ts';

/** What a frame begins with. `cooked`: with the IP header, on a Linux packet socket that knows the EtherType. */
export type FrameShape = 'ethernet' | 'raw' | 'cooked' | 'sll' | 'sll2';

const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const ETHERTYPE_ARP = 0x0806;

/** Where each shape has its EtherType and its IP header. */
const LAYOUT: Record<Exclude<FrameShape, 'raw'>, { readonly type: number; readonly network: number }> = {
  ethernet: { type: 12, network: 14 },
  cooked: { type: BPF_ANCILLARY_PROTOCOL, network: 0 },
  sll: { type: 14, network: 16 },
  sll2: { type: 0, network: 20 },
};

/** Scratch words. */
const M_NETWORK = 0;
const M_SOURCE_PORT = 1;
const M_DESTINATION_PORT = 2;
const M_LENGTH = 3;
/** Instead of a port: the packet shows none. */
const PORTLESS = 0x1_0000;

const V4 = { source: 12, destination: 16 };
const V6 = { source: 8, destination: 24 };

interface Targets {
  readonly ip4: BpfLabel;
  readonly ip6: BpfLabel;
  readonly accept: BpfLabel;
  readonly reject: BpfLabel;
  readonly snapLength: number;
  readonly segmentLength: number;
}

/** Accepted frames are cut to `snapLength` bytes, those with a whole TCP segment to `segmentLength`. */
export function compileSelection(
  selection: Selection,
  shape: FrameShape,
  snapLength: number,
  segmentLength = snapLength,
): BpfProgram {
  const b = new BpfAssembler();
  const t: Targets = {
    ip4: b.label(),
    ip6: b.label(),
    accept: b.label(),
    reject: b.label(),
    snapLength,
    segmentLength,
  };
  if (shape === 'raw') findByVersion(b, t);
  else findByEtherType(b, t, LAYOUT[shape].type, LAYOUT[shape].network, selection.notices === true);
  matchIp4(b, t, selection);
  matchIp6(b, t, selection);
  b.place(t.reject);
  b.ret(0);
  b.place(t.accept);
  b.ret(snapLength);
  return b.assemble();
}

function findByVersion(b: BpfAssembler, t: Targets): void {
  b.emit(BPF_LDX | BPF_IMM, 0);
  b.emit(BPF_LD | BPF_B | BPF_ABS, 0);
  b.emit(BPF_ALU | BPF_RSH, 4);
  b.jump(BPF_JEQ, 4, t.ip4);
  b.jump(BPF_JEQ, 6, t.ip6, t.reject);
}

function findByEtherType(b: BpfAssembler, t: Targets, type: number, network: number, arp: boolean): void {
  b.emit(BPF_LD | BPF_H | BPF_ABS, type);
  for (let tags = 0; tags <= VLAN_TAGS; tags++) {
    const inner = b.label();
    b.emit(BPF_LDX | BPF_IMM, network + 4 * tags);
    b.jump(BPF_JEQ, 0x0800, t.ip4);
    b.jump(BPF_JEQ, 0x86dd, t.ip6);
    if (arp) b.jump(BPF_JEQ, ETHERTYPE_ARP, t.accept);
    if (tags < VLAN_TAGS) VLAN_TYPES.forEach((vlan) => b.jump(BPF_JEQ, vlan, inner));
    b.goto(t.reject);
    b.place(inner);
    if (tags < VLAN_TAGS) b.emit(BPF_LD | BPF_H | BPF_ABS, network + 4 * tags + 2);
  }
}

function matchIp4(b: BpfAssembler, t: Targets, selection: Selection): void {
  const tcp = b.label();
  const whole = b.label();
  const match = b.label();
  b.place(t.ip4);
  b.emit(BPF_LD | BPF_B | BPF_IND, 9);
  b.jump(BPF_JEQ, IPPROTO_TCP, tcp);
  if (selection.notices === true) b.jump(BPF_JEQ, IPPROTO_ICMP, t.accept);
  if (selection.vxlan === true) {
    b.jump(BPF_JEQ, IPPROTO_UDP, undefined, t.reject);
    loadIp4Ports(b);
    matchVxlanPort(b, t);
  }
  b.goto(t.reject);

  const unbroken = b.label();
  b.place(tcp);
  keep(b, t, t.snapLength);
  b.emit(BPF_LD | BPF_H | BPF_IND, 6);
  b.jump(BPF_JSET, 0x3fff, undefined, unbroken); // fragment offset, more fragments
  b.jump(BPF_JSET, 0x1fff, undefined, whole); // fragment offset
  setPortless(b);
  b.goto(match);
  b.place(unbroken);
  keep(b, t, t.segmentLength);
  b.place(whole);
  loadIp4Ports(b);
  b.place(match);
  matchEndpoints(b, t, selection, 4);
}

/** Leaves the ports in scratch memory and X as it was. */
function loadIp4Ports(b: BpfAssembler): void {
  b.emit(BPF_STX, M_NETWORK);
  b.emit(BPF_LD | BPF_B | BPF_IND, 0);
  b.emit(BPF_ALU | BPF_AND, 0x0f);
  b.emit(BPF_ALU | BPF_LSH, 2);
  b.emit(BPF_ALU | BPF_ADD | BPF_X);
  b.emit(BPF_MISC | BPF_TAX);
  loadPorts(b, 0);
  b.emit(BPF_LDX | BPF_MEM, M_NETWORK);
}

function loadPorts(b: BpfAssembler, at: number): void {
  b.emit(BPF_LD | BPF_H | BPF_IND, at);
  b.emit(BPF_ST, M_SOURCE_PORT);
  b.emit(BPF_LD | BPF_H | BPF_IND, at + 2);
  b.emit(BPF_ST, M_DESTINATION_PORT);
}

function matchVxlanPort(b: BpfAssembler, t: Targets): void {
  b.emit(BPF_LD | BPF_MEM, M_DESTINATION_PORT);
  b.jump(BPF_JEQ, VXLAN_PORT, t.accept, t.reject);
}

function matchIp6(b: BpfAssembler, t: Targets, selection: Selection): void {
  const tcp = b.label();
  const partial = b.label();
  b.place(t.ip6);
  b.emit(BPF_LD | BPF_B | BPF_IND, 6);
  b.jump(BPF_JEQ, IPPROTO_TCP, tcp);
  if (selection.notices === true) b.jump(BPF_JEQ, IPPROTO_ICMPV6, t.accept);
  IPV6_EXTENSIONS.forEach((type) => b.jump(BPF_JEQ, type, partial));
  if (selection.vxlan === true) {
    b.jump(BPF_JEQ, IPPROTO_UDP, undefined, t.reject);
    loadPorts(b, 40);
    matchVxlanPort(b, t);
  }
  b.goto(t.reject);

  b.place(partial);
  // Every extension header begins with the type of what follows it: one more look spares us neighbour and group traffic.
  const mayBeTcp = b.label();
  b.emit(BPF_LD | BPF_B | BPF_IND, 40);
  for (const type of [IPPROTO_TCP, ...IPV6_EXTENSIONS]) b.jump(BPF_JEQ, type, mayBeTcp);
  b.goto(t.reject);
  b.place(mayBeTcp);
  const match = b.label();
  keep(b, t, t.snapLength);
  setPortless(b);
  b.goto(match);

  b.place(tcp);
  keep(b, t, t.segmentLength);
  loadPorts(b, 40);
  b.place(match);
  matchEndpoints(b, t, selection, 6);
}

/** Says how much to keep of the frame if it matches; nothing needs saying where that is always the same. */
function keep(b: BpfAssembler, t: Targets, length: number): void {
  if (t.segmentLength === t.snapLength) return;
  b.emit(BPF_LD | BPF_IMM, length);
  b.emit(BPF_ST, M_LENGTH);
}

function accepted(b: BpfAssembler, t: Targets): void {
  if (t.segmentLength === t.snapLength) {
    b.ret(t.snapLength);
    return;
  }
  b.emit(BPF_LD | BPF_MEM, M_LENGTH);
  b.emit(BPF_RET | BPF_ACCUMULATOR);
}

/** Makes every port range of a matching address match. */
function setPortless(b: BpfAssembler): void {
  b.emit(BPF_LD | BPF_IMM, PORTLESS);
  b.emit(BPF_ST, M_SOURCE_PORT);
  b.emit(BPF_ST, M_DESTINATION_PORT);
}

/** One address with its port ranges; `undefined` is any address. */
interface Group {
  readonly address: IpAddress | undefined;
  readonly ranges: SelectedEndpoint[];
}

function groupByAddress(endpoints: readonly SelectedEndpoint[], version: 4 | 6): Group[] {
  const groups: Group[] = [];
  for (const e of endpoints) {
    if (e.address !== undefined && e.address.version !== version) continue;
    const same = groups.find((g) =>
      (['w0', 'w1', 'w2', 'w3'] as const).every((w) => g.address?.[w] === e.address?.[w]),
    );
    if (same === undefined) groups.push({ address: e.address, ranges: [e] });
    else same.ranges.push(e);
  }
  return groups;
}

function matchEndpoints(b: BpfAssembler, t: Targets, selection: Selection, version: 4 | 6): void {
  const groups = groupByAddress(selection.endpoints, version);
  const { source, destination } = version === 4 ? V4 : V6;
  for (const group of groups) {
    if (selection.direction !== 'from') matchGroup(b, t, group, destination, M_DESTINATION_PORT);
    if (selection.direction !== 'to') matchGroup(b, t, group, source, M_SOURCE_PORT);
  }
  b.goto(t.reject);
}

/** Accepts when the address at X + `at` and the port in `port` are the group's; else falls through. */
function matchGroup(b: BpfAssembler, t: Targets, { address, ranges }: Group, at: number, port: number): void {
  const other = b.label();
  const accept = b.label();
  addressWords(address).forEach((word, i) => {
    b.emit(BPF_LD | BPF_W | BPF_IND, at + 4 * i);
    b.jump(BPF_JEQ, word, undefined, other);
  });
  b.emit(BPF_LD | BPF_MEM, port);
  b.jump(BPF_JEQ, PORTLESS, accept);
  ranges.forEach(({ portFirst, portLast }, i) => {
    const outside = i === ranges.length - 1 ? other : b.label();
    b.jump(BPF_JGE, portFirst, undefined, outside);
    b.jump(BPF_JGT, portLast, outside, accept);
    if (outside !== other) b.place(outside);
  });
  // A return of its own is shorter than a far jump to one.
  b.place(accept);
  accepted(b, t);
  b.place(other);
}

function addressWords(address: IpAddress | undefined): number[] {
  if (address === undefined) return [];
  return address.version === 4 ? [address.w3] : [address.w0, address.w1, address.w2, address.w3];
}
