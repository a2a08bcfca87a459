/** Which packets a live capture wants: the ones to or from some server endpoints. */
import { formatIp, type IpAddress } from '../core/ip-address.ts';

export interface SelectedEndpoint {
  /** `undefined`: any address. */
  readonly address?: IpAddress | undefined;
  readonly portFirst: number;
  readonly portLast: number;
}

export interface Selection {
  readonly endpoints: readonly SelectedEndpoint[];
  /** Packets to the endpoints, from them, or both. */
  readonly direction: 'to' | 'from' | 'both';
  /** Let VXLAN (UDP port 4789) through as well, whatever it carries. */
  readonly vxlan?: boolean;
  /** Let ICMP and ARP through as well, whosever they are. */
  readonly notices?: boolean;
}

export const VXLAN_PORT = 4789;

/** How many VLAN tags a frame may still hold, and their types: 802.1Q, 802.1ad, and the older QinQ value. */
export const VLAN_TAGS = 2;
export const VLAN_TYPES: readonly number[] = [0x8100, 0x88a8, 0x9100];

/**
 * Whatever still has a tag, as pcap-filter(7) text. By EtherType: `vlan` is refused on most kinds of device and on `any`,
 * and what it makes of the rest of a filter depends on where it stands.
 */
export const TAGGED_TEXT = VLAN_TYPES.map((type) => `ether proto ${type}`).join(' or ');

/** IPv6 next-header values after which TCP may follow, but not at a fixed place: extension headers (RFC 8200 §4). */
export const IPV6_EXTENSIONS: readonly number[] = [0, 43, 44, 51, 60, 135, 139, 140];

/**
 * The selection as pcap-filter(7) text, for backends that are told so and for and-ing with a user's expression. Like
 * the BPF of selection-filter.ts it lets later IPv4 fragments, and IPv6 packets with extension headers, pass by address
 * alone.
 */
export function selectionText(selection: Selection): string {
  const sides = { to: ['dst'], from: ['src'], both: ['dst', 'src'] }[selection.direction];
  const each = (text: (side: string, e: SelectedEndpoint) => string) =>
    [...new Set(sides.flatMap((side) => selection.endpoints.map((e) => text(side, e))))].join(' or ');
  const host = (side: string, e: SelectedEndpoint) =>
    e.address === undefined ? undefined : `${side} host ${formatIp(e.address)}`;

  const whole = each((side, e) => {
    const ports = `tcp ${side} portrange ${e.portFirst}-${e.portLast}`;
    const address = host(side, e);
    return address === undefined ? `(${ports})` : `(${ports} and ${address})`;
  });
  const oneOf = (field: string, values: readonly number[]) => values.map((v) => `${field} = ${v}`).join(' or ');
  const extended = `(${oneOf('ip6[6]', IPV6_EXTENSIONS)}) and (${oneOf('ip6[40]', [6, ...IPV6_EXTENSIONS])})`;
  const partial = `((ip proto 6 and ip[6:2] & 0x1fff != 0) or (ip6 and ${extended}))`;
  const anyAddress = selection.endpoints.some((e) => e.address === undefined);
  const parts = anyAddress ? partial : `(${partial} and (${each((side, e) => host(side, e)!)}))`;
  const vxlan = selection.vxlan === true ? ` or (udp dst port ${VXLAN_PORT})` : '';
  const notices = selection.notices === true ? ' or icmp or icmp6 or arp' : '';
  return `(${whole} or ${parts}${vxlan}${notices})`;
}
