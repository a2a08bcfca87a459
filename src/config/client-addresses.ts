/**
 * `-c`: the source addresses of what is sent to the target. Each entry is one address, `a.b.c.x` (1 to 254, TCPCopy's
 * form of a /24) or a CIDR block of either family. A block leaves out its first address (network, or subnet-router
 * anycast, RFC 4291 §2.6.1) and, in IPv4, its last (broadcast); of a wide block only the first `LARGEST_BLOCK` addresses
 * are used, which keeps every range inside the last 32 bits of its address.
 */
import { formatEndpoint, ipEquals, parseIp, type Endpoint, type IpAddress } from '../core/ip-address.ts';
import type { TcpcopyError } from '../core/errors.ts';
import { addressPlus, isLoopback, whyNotUnicast } from './address.ts';
import type { AddressRange } from './copy-options.ts';
import { optionError } from './option-error.ts';

const FLAG = '-c';
const FORMS = "write addresses separated by commas, a.b.c.x or a block, as in '192.0.2.7', '10.9.8.x' or '10.9.0.0/16'";

/** Addresses used of one block: far more than any number of sessions needs. */
export const LARGEST_BLOCK = 65_535;

/** Each text may hold several entries, separated by commas. `targets` are what the addresses will talk to. */
export function parseClientAddresses(texts: readonly string[], targets: readonly Endpoint[]): readonly AddressRange[] {
  const entries = texts.flatMap((text) => text.split(',')).map((text) => text.trim());
  const ranges = entries.flatMap((text) => withoutTargets(text, parseEntry(text, targets), targets));
  const bare = targets.find((t) => !ranges.some((r) => r.first.version === t.address.version));
  if (bare && ranges.length > 0) {
    const family = `IPv${bare.address.version}`;
    throw clientError(texts.join(','), `has no ${family} address for the target ${formatEndpoint(bare)}`, `add one`);
  }
  return ranges;
}

function parseEntry(text: string, targets: readonly Endpoint[]): AddressRange {
  const range = parseDottedX(text) ?? parseBlock(text) ?? parseSingle(text);
  const reason = whyNotUnicast(range.first);
  if (reason !== undefined) throw clientError(text, reason, 'a client address must be routed back to the intercept');
  const { version } = range.first;
  if (!targets.some((t) => t.address.version === version)) {
    const targetFamily = version === 4 ? 6 : 4;
    throw clientError(
      text,
      `is IPv${version} but the target is IPv${targetFamily}`,
      `give IPv${targetFamily} addresses`,
    );
  }
  if (isLoopback(range.first) && !targets.some((t) => isLoopback(t.address))) {
    throw clientError(
      text,
      'is a loopback address, which no other host can answer',
      'give addresses that the test server routes to the intercept',
    );
  }
  return range;
}

/** `10.9.8.x` */
function parseDottedX(text: string): AddressRange | undefined {
  if (/\.\*$/.test(text)) throw clientError(text, 'is not an address', `write ${text.slice(0, -1)}x`);
  if (!/\.x$/i.test(text)) return undefined;
  const first = parseIp(`${text.slice(0, -1)}1`);
  if (!first) throw clientError(text, 'is not of the form a.b.c.x', FORMS);
  return { first, count: 254 };
}

function parseBlock(text: string): AddressRange | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const ip = parseIp(text.slice(0, slash));
  const bits = ip?.version === 4 ? 32 : 128;
  const prefix = /^\d{1,3}$/.test(text.slice(slash + 1)) ? Number(text.slice(slash + 1)) : NaN;
  if (!ip || !(prefix <= bits)) throw clientError(text, 'is not an address block', FORMS);
  if (prefix < 8) throw clientError(text, 'is far too wide a block', 'give a prefix of /8 or longer');
  const network = maskTo(ip, prefix);
  const size = 2 ** (bits - prefix);
  if (size === 1) return { first: network, count: 1 };
  if (ip.version === 4 && size === 2) return { first: network, count: 2 }; // RFC 3021: a /31 has two hosts
  const usable = size - (ip.version === 4 ? 2 : 1);
  return { first: addressPlus(network, 1), count: Math.min(usable, LARGEST_BLOCK) };
}

function parseSingle(text: string): AddressRange {
  const first = parseIp(text);
  if (!first) throw clientError(text, text === '' ? 'an entry of the list is empty' : 'is not an IP address', FORMS);
  return { first, count: 1 };
}

/** A target that talked to itself would answer to itself: its own addresses are cut out of the ranges. */
function withoutTargets(text: string, range: AddressRange, targets: readonly Endpoint[]): AddressRange[] {
  let parts = [range];
  for (const { address } of targets) {
    // Between loopback addresses there is no routing to go wrong, and 127.0.0.1 is both ends of any local test.
    if (!isLoopback(address)) parts = parts.flatMap((part) => cutOut(part, address));
  }
  if (parts.length === 0) {
    throw clientError(text, `is the target's own address`, 'choose an address routed to the intercept');
  }
  return parts;
}

function cutOut(range: AddressRange, address: IpAddress): AddressRange[] {
  const at = (address.w3 - range.first.w3) | 0;
  if (at < 0 || at >= range.count || !ipEquals(addressPlus(range.first, at), address)) return [range];
  return [
    { first: range.first, count: at },
    { first: addressPlus(address, 1), count: range.count - at - 1 },
  ].filter((part) => part.count > 0);
}

function maskTo(ip: IpAddress, prefix: number): IpAddress {
  if (ip.version === 4) return { ...ip, w3: ip.w3 & mask32(prefix) };
  const word = (w: number, i: number) => w & mask32(Math.max(0, Math.min(32, prefix - 32 * i)));
  return { ...ip, w0: word(ip.w0, 0), w1: word(ip.w1, 1), w2: word(ip.w2, 2), w3: word(ip.w3, 3) };
}

/** The upper `bits` bits of a word; a shift by 32 would be a shift by none. */
function mask32(bits: number): number {
  return bits === 0 ? 0 : -1 << (32 - bits);
}

function clientError(entry: string, message: string, hint?: string): TcpcopyError {
  return optionError(FLAG, entry, message, hint, 'E_CLIENT_ADDRESS');
}
