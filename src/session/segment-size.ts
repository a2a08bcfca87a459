/** How much fits into a segment. */

/** What a host takes that names no MSS (RFC 9293 §3.7.1). */
const MSS_DEFAULT_V4 = 536;
const MSS_DEFAULT_V6 = 1_220;

/**
 * Smaller values are taken for this: a hostile MSS must not turn a request into thousands of packets. And it leaves room
 * for payload beside 40 bytes of options.
 */
export const MSS_MIN = 48;

/** The timestamps option with its padding, in every segment that has it. */
export const TIMESTAMPS_LENGTH = 12;

/** What an IP packet of `mtu` bytes leaves for TCP options and payload. */
export function payloadOf(mtu: number, ipVersion: 4 | 6): number {
  return mtu - (ipVersion === 4 ? 20 : 40) - 20;
}

/** The MSS that a SYN announced; `mss` is 0 when it had no such option. */
export function announcedMss(mss: number, ipVersion: 4 | 6): number {
  if (mss === 0) return ipVersion === 4 ? MSS_DEFAULT_V4 : MSS_DEFAULT_V6;
  return Math.max(mss, MSS_MIN);
}
