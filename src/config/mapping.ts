/**
 * `-x`: which online traffic is copied to which target.
 *
 *     entry  = [ address ":" ] ports [ "@" mac ] "-" address ":" ports [ "@" mac ]
 *     ports  = port | port ".." port | port "-" port
 *     address = IPv4 | "[" IPv6 "]"
 *
 * A target is one address with a port, so the last address in an entry is always the target's and `8000-8010-10.0.0.2:80`
 * cannot be misread. A range of online ports maps onto the target ports counted from the target's port. The `@mac`
 * suffixes are those of TCPCopy's pcap-send build; the next hop is looked up here, so they are read and put aside.
 */
import { formatEndpoint, formatIp, parseIp, type Endpoint, type IpAddress } from '../core/ip-address.ts';
import type { TcpcopyError } from '../core/errors.ts';
import { isLoopback, whyNotUnicast } from './address.ts';
import type { Mapping, Selected } from './copy-options.ts';
import { optionError } from './option-error.ts';

const FLAG = '-x';
const FORMS = "write port-ip:port or ip:port-ip:port, as in '80-192.0.2.10:8080' or '80-[2001:db8::10]:8080'";

const ADDRESS = String.raw`(\[[^\]]*\]|[^\s:@\[\]]+)`;
const PORTS = String.raw`(\d+)(?:(?:-|\.\.)(\d+))?`;
const MAC = String.raw`(?:@([0-9a-fA-F]{1,2}(?:[:.-][0-9a-fA-F]{1,2}){5}))?`;
const ENTRY = new RegExp(`^(?:${ADDRESS}:)?${PORTS}${MAC}-${ADDRESS}:${PORTS}${MAC}$`);
const SELECTION = new RegExp(`^(?:${ADDRESS}:)?${PORTS}$`);
const SELECTION_FORMS = "write port, ip:port or a range, as in '80', '192.0.2.1:80' or '8000-8010'";

export interface ParsedMappings {
  readonly mappings: readonly Mapping[];
  /** Whether any entry carried a MAC address, which is not used. */
  readonly macIgnored: boolean;
}

/** Each text may hold several entries, separated by commas. */
export function parseMappings(texts: readonly string[]): ParsedMappings {
  const entries = entriesOf(texts);
  const parsed = entries.map(parseEntry);
  parsed.forEach(({ mapping }, i) => {
    const earlier = parsed.slice(0, i).find((other) => overlaps(other.mapping, mapping));
    if (earlier) {
      throw mappingError(
        entries[i]!,
        `selects traffic that '${entries[parsed.indexOf(earlier)]}' already copies`,
        'give each online port one target; several copies to one target are -n',
      );
    }
  });
  return { mappings: parsed.map((p) => p.mapping), macIgnored: parsed.some((p) => p.hasMac) };
}

/** `-x` of a recording: servers' endpoints, which are the online half of a mapping. */
export function parseSelections(texts: readonly string[]): readonly Selected[] {
  return entriesOf(texts).map((text) => {
    const match = SELECTION.exec(text);
    if (ENTRY.test(text)) throw mappingError(text, 'names a target, but nothing is sent', SELECTION_FORMS);
    if (!match) throw mappingError(text, text === '' ? 'an entry of the list is empty' : 'is no port', SELECTION_FORMS);
    const [, address, first, last] = match;
    return { online: parseOnline(text, address, first!, last) };
  });
}

function entriesOf(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => text.split(',')).map((text) => text.trim());
}

function parseOnline(entry: string, address: string | undefined, first: string, last: string | undefined) {
  const portFirst = parsePort(entry, first);
  const portLast = last === undefined ? portFirst : parsePort(entry, last);
  if (portLast < portFirst) throw mappingError(entry, `the port range ${portFirst}..${portLast} runs backwards`);
  return { address: address === undefined ? undefined : parseAddress(entry, address, 'online'), portFirst, portLast };
}

function parseEntry(text: string): { mapping: Mapping; hasMac: boolean } {
  const match = ENTRY.exec(text);
  if (!match) throw mappingError(text, whatIsMissing(text), FORMS);
  const [, onlineText, onlineFirst, onlineLast, onlineMac, targetText, targetFirst, targetLast, targetMac] = match;

  const online = parseOnline(text, onlineText, onlineFirst!, onlineLast);
  const { portFirst, portLast } = online;

  const target: Endpoint = { address: parseAddress(text, targetText!, 'target'), port: parsePort(text, targetFirst!) };
  const lastTargetPort = target.port + (portLast - portFirst);
  if (targetLast !== undefined && parsePort(text, targetLast) !== lastTargetPort) {
    throw mappingError(text, `the online range has ${portLast - portFirst + 1} ports and the target range has not`);
  }
  if (lastTargetPort > 65535)
    throw mappingError(text, `the target ports would run up to ${lastTargetPort}, past 65535`);

  const mapping: Mapping = { online, target };
  refuseLoop(text, mapping);
  return { mapping, hasMac: onlineMac !== undefined || targetMac !== undefined };
}

/** Copies of copies: what is sent to the target would be captured as new online traffic. */
function refuseLoop(text: string, { online, target }: Mapping): void {
  const sameHost =
    online.address === undefined ? isLoopback(target.address) : formatIp(online.address) === formatIp(target.address);
  const targetLast = target.port + (online.portLast - online.portFirst);
  if (sameHost && target.port <= online.portLast && online.portFirst <= targetLast) {
    throw mappingError(text, `copies ${formatEndpoint(target)} to itself`, 'name another target address or port');
  }
}

function parseAddress(entry: string, text: string, role: 'online' | 'target'): IpAddress {
  const ip = parseIp(text);
  if (!ip) {
    const name = /[a-z]/i.test(text) && !text.startsWith('[');
    throw mappingError(
      entry,
      `'${text}' is not an IP address`,
      name ? 'host names are not looked up here: give the address it stands for' : FORMS,
    );
  }
  if (ip.version === 6 && !text.startsWith('[')) throw mappingError(entry, `'${text}' needs brackets`, FORMS);
  const reason = whyNotUnicast(ip);
  if (reason !== undefined) {
    throw mappingError(entry, reason, role === 'online' ? 'leave the address out to mean any' : undefined);
  }
  return ip;
}

function parsePort(entry: string, text: string): number {
  const port = Number(text);
  if (!(port >= 1 && port <= 65535)) throw mappingError(entry, `${text} is not a port (1 to 65535)`);
  return port;
}

/** The commonest slips, named. */
function whatIsMissing(text: string): string {
  if (text === '') return 'an entry of the list is empty';
  if (!text.includes('-')) return 'has no target';
  if (/-[^:[\]]+$/.test(text) || /-\[[^\]]*\]$/.test(text)) return 'the target has no port';
  if (/[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*/i.test(text.replace(/\[[^\]]*\]|@.*?(?=-|$)/g, ''))) {
    return 'an IPv6 address needs brackets';
  }
  return 'is not a mapping';
}

function overlaps(a: Mapping, b: Mapping): boolean {
  if (a.online.portLast < b.online.portFirst || b.online.portLast < a.online.portFirst) return false;
  const [x, y] = [a.online.address, b.online.address];
  return x === undefined || y === undefined || formatIp(x) === formatIp(y);
}

function mappingError(entry: string, message: string, hint?: string): TcpcopyError {
  return optionError(FLAG, entry, message, hint, 'E_MAPPING');
}
