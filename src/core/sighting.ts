/**
 * One packet that a wide watch has seen: what matters of it for telling where probes and their answers went. Values of
 * their own, not views.
 */
import type { IpAddress } from './ip-address.ts';

export type SightingKind = 'tcp' | 'icmp' | 'arp';

export interface Sighting {
  readonly kind: SightingKind;
  /** Where it was captured; `any` where the backend cannot tell. */
  readonly device: string;
  /** It left the host there. */
  readonly outgoing: boolean;
  /** The capture that the program does for its work takes it, too: device and filter let it through. */
  readonly taken: boolean;
  /** TCP: source and destination. ICMP errors: of the packet they quote. ARP requests: who asks, and for whom. */
  readonly source: IpAddress;
  readonly sourcePort: number;
  readonly destination: IpAddress;
  readonly destinationPort: number;
  /** TCP_ bits; 0 where there are none. */
  readonly flags: number;
  /** Signed 32-bit words. */
  readonly seq: number;
  readonly ack: number;
  /** ICMP errors: who sent them; else the source. */
  readonly reporter: IpAddress;
  /** ICMP or ICMPv6 type and code; 0 for others. */
  readonly icmpType: number;
  readonly icmpCode: number;
}
