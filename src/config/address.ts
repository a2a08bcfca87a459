/** What addresses can and cannot be used for. All questions are about one `IpAddress`. */
import { formatIp, V4_MAPPED_WORD, type IpAddress } from '../core/ip-address.ts';

function isUnspecified(ip: IpAddress): boolean {
  return ip.w0 === 0 && ip.w1 === 0 && ip.w3 === 0 && (ip.w2 === 0 || ip.w2 === V4_MAPPED_WORD);
}

/** 127.0.0.0/8, ::1 */
export function isLoopback(ip: IpAddress): boolean {
  if (ip.version === 4) return ip.w3 >>> 24 === 127;
  return ip.w0 === 0 && ip.w1 === 0 && ip.w2 === 0 && ip.w3 === 1;
}

/** 224.0.0.0/4, ff00::/8 */
function isMulticast(ip: IpAddress): boolean {
  return ip.version === 4 ? ip.w3 >>> 28 === 14 : ip.w0 >>> 24 === 0xff;
}

/** 255.255.255.255 and the rest of 240.0.0.0/4, which no Linux route accepts. */
function isReservedV4(ip: IpAddress): boolean {
  return ip.version === 4 && ip.w3 >>> 28 === 15;
}

/** Why no TCP endpoint can have this address; `undefined` when one can. */
export function whyNotUnicast(ip: IpAddress): string | undefined {
  if (isUnspecified(ip)) return `${formatIp(ip)} is not the address of a host`;
  if (isMulticast(ip)) return `${formatIp(ip)} is a multicast address`;
  if (isReservedV4(ip)) return `${formatIp(ip)} is a broadcast or reserved address`;
  return undefined;
}

/** The address `n` further on. Only the last 32 bits move: callers keep ranges inside them. */
export function addressPlus(ip: IpAddress, n: number): IpAddress {
  return { ...ip, w3: (ip.w3 + n) | 0 };
}
