import ipaddr from 'ipaddr.js';

/**
 * An IP address as four signed 32-bit words, network order, most significant first. IPv4 is held IPv4-mapped
 * (RFC 4291 §2.5.5.2): `0, 0, 0xffff, a.b.c.d`, so one comparison serves both families.
 */
export interface IpAddress {
  readonly version: 4 | 6;
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
}

/** The third word of every IPv4-mapped address. */
export const V4_MAPPED_WORD = 0xffff;

export function ipv4FromWord(word: number): IpAddress {
  return { version: 4, w0: 0, w1: 0, w2: V4_MAPPED_WORD, w3: word | 0 };
}

/** From words as a `Segment` carries them; an IPv4-mapped address becomes IPv4. */
export function ipFromWords(w0: number, w1: number, w2: number, w3: number): IpAddress {
  const version = w0 === 0 && w1 === 0 && w2 === V4_MAPPED_WORD ? 4 : 6;
  return { version, w0: w0 | 0, w1: w1 | 0, w2: w2 | 0, w3: w3 | 0 };
}

/** Parses dotted IPv4 or any IPv6 text form, brackets allowed; `undefined` when it is neither. */
export function parseIp(text: string): IpAddress | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return fromBytes(ipaddr.IPv4.parse(bare).toByteArray());
  if (!bare.includes(':') || bare.includes('%') || !ipaddr.IPv6.isValid(bare)) return undefined;
  return fromBytes(ipaddr.IPv6.parse(bare).toByteArray());
}

/** Four or sixteen bytes in network order. */
export function fromBytes(bytes: ArrayLike<number>): IpAddress {
  const word = (i: number) => (bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!;
  return bytes.length === 4 ? ipv4FromWord(word(0)) : ipFromWords(word(0), word(4), word(8), word(12));
}

export function toBytes(ip: IpAddress): number[] {
  const words = ip.version === 4 ? [ip.w3] : [ip.w0, ip.w1, ip.w2, ip.w3];
  return words.flatMap((w) => [w >>> 24, (w >>> 16) & 255, (w >>> 8) & 255, w & 255]);
}

/** Canonical text: dotted IPv4, or RFC 5952 for IPv6 (no brackets). */
export function formatIp(ip: IpAddress): string {
  const { version, w3 } = ip;
  if (version === 6) return new ipaddr.IPv6(toBytes(ip)).toRFC5952String();
  // Plugins ask for it once a connection.
  return `${w3 >>> 24}.${(w3 >>> 16) & 255}.${(w3 >>> 8) & 255}.${w3 & 255}`;
}

export function ipEquals(a: IpAddress, b: IpAddress): boolean {
  return a.w3 === b.w3 && a.w2 === b.w2 && a.w1 === b.w1 && a.w0 === b.w0;
}

/** An address and a TCP port. */
export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

/** `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function formatEndpoint(e: Endpoint): string {
  const ip = formatIp(e.address);
  return e.address.version === 4 ? `${ip}:${e.port}` : `[${ip}]:${e.port}`;
}
