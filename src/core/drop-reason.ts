/**
 * Why a captured frame carried nothing to copy. Numbers, so that the packet path counts them in a typed array; the
 * names are what the ledger prints. 0 is "not dropped".
 */
export const DROP_REASONS = [
  'none',
  'not-ip',
  'not-tcp',
  'frame-truncated',
  'unknown-link-type',
  'ip-header-malformed',
  'ip-checksum-bad',
  'ip-fragment-held',
  'ip-fragment-expired',
  'ip-fragment-malformed',
  'ip-fragment-cap',
  'ipv6-extension-malformed',
  'tunnel-unknown',
  'tcp-header-malformed',
  'not-selected',
] as const;

export type DropReasonName = (typeof DROP_REASONS)[number];
export type DropReason = number;

export const DROP_NONE = 0;
export const DROP_NOT_IP = 1;
export const DROP_NOT_TCP = 2;
export const DROP_FRAME_TRUNCATED = 3;
export const DROP_UNKNOWN_LINK_TYPE = 4;
export const DROP_IP_HEADER_MALFORMED = 5;
export const DROP_IP_CHECKSUM_BAD = 6;
/** Not lost: the fragment waits for the rest of its packet. */
export const DROP_IP_FRAGMENT_HELD = 7;
export const DROP_IP_FRAGMENT_EXPIRED = 8;
export const DROP_IP_FRAGMENT_MALFORMED = 9;
export const DROP_IP_FRAGMENT_CAP = 10;
export const DROP_IPV6_EXTENSION_MALFORMED = 11;
export const DROP_TUNNEL_UNKNOWN = 12;
export const DROP_TCP_HEADER_MALFORMED = 13;
/** A sound segment of a connection that `-x` does not select. */
export const DROP_NOT_SELECTED = 14;
