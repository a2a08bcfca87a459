/**
 * Where packets to a destination would leave, by the kernel's own tables (linux/rtnetlink.h, linux/neighbour.h): device,
 * next hop, its Ethernet address. Where anything is not as plain as that, the reason why not: then only the kernel can send.
 */
import {
  attributesOf,
  errnoOfMessage,
  messagesOf,
  netlinkRequest,
  readHalf,
  readWord,
  readWordAt,
  viewOf,
  word,
} from './netlink.ts';
import type { Attribute, Field, NetlinkMessage } from './netlink.ts';
import { errnoName } from './errno.ts';

/** Sends a message and returns the answer; throws an error with `code` where it cannot. `protocol`: NETLINK_. */
export type AskKernel = (protocol: number, request: Uint8Array) => Uint8Array;

export interface NextHop {
  /** Interface index. */
  readonly device: number;
  readonly mac: Uint8Array;
  /** Longest IP packet. */
  readonly mtu: number;
}

/** What routes a packet beside its destination; 0: nothing. */
export interface Routing {
  readonly mark: number;
  readonly device: number;
}

const NETLINK_ROUTE = 0;
const [AF_INET, AF_INET6] = [2, 10];

const [RTM_GETLINK, RTM_GETROUTE, RTM_GETNEIGH] = [18, 26, 30];
/** struct rtmsg, ifinfomsg, ndmsg. */
const [ROUTE_SIZE, LINK_SIZE, NEIGHBOUR_SIZE] = [12, 16, 12];

const RTM_F_FIB_MATCH = 0x2000;
const RTN_UNICAST = 1;
const [RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_METRICS, RTA_MULTIPATH, RTA_MARK, RTA_VIA, RTA_ENCAP] = [
  1, 4, 5, 8, 9, 16, 18, 22,
];
const RTAX_MTU = 2;

const [IFLA_MTU, IFLA_MASTER] = [4, 10];
const ARPHRD_ETHER = 1;
const [IFF_UP, IFF_LOOPBACK, IFF_RUNNING, IFF_NOARP] = [0x1, 0x8, 0x40, 0x80];

const [NDA_DST, NDA_LLADDR] = [1, 2];
/** REACHABLE, STALE, DELAY, PROBE, PERMANENT: the kernel sends to it without asking first. */
const USABLE = 0x02 | 0x04 | 0x08 | 0x10 | 0x80;
const MAC_BYTES = 6;

/** `destination`: 4 or 16 bytes. Throws what `ask` throws. */
export function findNextHop(ask: AskKernel, destination: Uint8Array, routing: Routing): NextHop | string {
  const family = destination.length === 4 ? AF_INET : AF_INET6;
  // As one packet would go, and as the table has it, which tells whether others would go elsewhere.
  const route = routeTo(ask, family, destination, routing, 0);
  if (typeof route === 'string') return route;
  const entry = routeTo(ask, family, destination, routing, RTM_F_FIB_MATCH);
  if (typeof entry === 'string') return entry;
  for (const attributes of [route, entry]) {
    if (attributes.has(RTA_MULTIPATH)) return 'its route has several ways';
    if (attributes.has(RTA_ENCAP) || attributes.has(RTA_VIA)) return 'its route is a tunnel';
  }
  const device = readWord(route.get(RTA_OIF)) ?? 0;
  const link = linkOf(ask, device);
  if (typeof link === 'string') return link;
  const mac = macOf(ask, family, device, route.get(RTA_GATEWAY) ?? destination);
  if (typeof mac === 'string') return mac;
  const metrics = route.get(RTA_METRICS);
  const routeMtu = metrics === undefined ? undefined : readWord(attributesOf(viewOf(metrics), 0).get(RTAX_MTU));
  return { device, mac, mtu: Math.min(link.mtu, routeMtu || link.mtu) };
}

function routeTo(
  ask: AskKernel,
  family: number,
  destination: Uint8Array,
  { mark, device }: Routing,
  flags: number,
): Map<number, Uint8Array> | string {
  const fixed: Field[] = [
    [1, family],
    [1, destination.length * 8],
    [1, 0],
    [1, 0],
    [1, 0],
    [1, 0],
    [1, 0],
    [1, 0],
    [4, flags],
  ];
  const attributes: Attribute[] = [[RTA_DST, destination]];
  if (mark !== 0) attributes.push([RTA_MARK, word(mark)]);
  if (device !== 0) attributes.push([RTA_OIF, word(device)]);
  const answer = askOne(ask, netlinkRequest(RTM_GETROUTE, 0, fixed, attributes), ROUTE_SIZE);
  if (typeof answer === 'string') return `no route (${answer})`;
  if (answer.body.getUint8(7) !== RTN_UNICAST) return 'its route leads to no other host';
  return attributesOf(answer.body, ROUTE_SIZE);
}

function linkOf(ask: AskKernel, device: number): { readonly mtu: number } | string {
  const fixed: Field[] = [
    [1, 0],
    [1, 0],
    [2, 0],
    [4, device],
    [4, 0],
    [4, 0],
  ];
  const answer = askOne(ask, netlinkRequest(RTM_GETLINK, 0, fixed), LINK_SIZE);
  if (typeof answer === 'string') return `no device (${answer})`;
  const flags = readWordAt(answer.body, 8);
  if (readHalf(answer.body, 2) !== ARPHRD_ETHER || (flags & (IFF_LOOPBACK | IFF_NOARP)) !== 0) {
    return 'its device is no Ethernet';
  }
  if ((flags & IFF_UP) === 0 || (flags & IFF_RUNNING) === 0) return 'its device is down';
  const attributes = attributesOf(answer.body, LINK_SIZE);
  if (attributes.has(IFLA_MASTER)) return 'its device belongs to another';
  const mtu = readWord(attributes.get(IFLA_MTU));
  return mtu === undefined ? 'its device has no MTU' : { mtu };
}

function macOf(ask: AskKernel, family: number, device: number, nextHop: Uint8Array): Uint8Array | string {
  const fixed: Field[] = [
    [1, family],
    [1, 0],
    [2, 0],
    [4, device],
    [2, 0],
    [1, 0],
    [1, 0],
  ];
  const answer = askOne(ask, netlinkRequest(RTM_GETNEIGH, 0, fixed, [[NDA_DST, nextHop]]), NEIGHBOUR_SIZE);
  if (typeof answer === 'string') return `its neighbour is not known (${answer})`;
  const mac = attributesOf(answer.body, NEIGHBOUR_SIZE).get(NDA_LLADDR);
  const usable = (readHalf(answer.body, 8) & USABLE) !== 0;
  return usable && mac?.length === MAC_BYTES ? mac.slice() : 'its neighbour is not known';
}

/** The one message of an answer, or the errno name in it. */
function askOne(ask: AskKernel, request: Uint8Array, size: number): NetlinkMessage | string {
  const [message] = messagesOf(ask(NETLINK_ROUTE, request));
  if (message === undefined) return 'no answer';
  const errno = errnoOfMessage(message);
  if (errno !== 0) return errnoName(errno);
  return message.body.byteLength < size ? 'no answer' : message;
}
