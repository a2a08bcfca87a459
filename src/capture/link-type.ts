/** LINKTYPE_ values (pcap registry, tcpdump.org/linktypes.html) that live sources deliver, and libpcap's DLT_ for them. */
export const LINKTYPE_NULL = 0;
export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_RAW = 101;
export const LINKTYPE_LINUX_SLL = 113;

/** DLT_RAW on Linux; every other DLT_ equals its LINKTYPE_ there, as far as IP is carried. */
const DLT_RAW = 12;

export function dltOf(linkType: number): number {
  return linkType === LINKTYPE_RAW ? DLT_RAW : linkType;
}

export function linkTypeOf(dlt: number): number {
  return dlt === DLT_RAW ? LINKTYPE_RAW : dlt;
}

/** Where a link header has its EtherType, behind which VLAN tags may follow; -1 where it has none. */
export function etherTypeOffset(linkType: number): number {
  return linkType === LINKTYPE_ETHERNET ? 12 : linkType === LINKTYPE_LINUX_SLL ? 14 : -1;
}
