/** `-s`: where intercepts listen. `host`, `host:port`, `[v6]`, `[v6]:port`; host names are looked up when connecting. */
import { parseIp } from '../core/ip-address.ts';
import { whyNotUnicast } from './address.ts';
import type { InterceptAddress } from './copy-options.ts';
import { optionError } from './option-error.ts';

const FLAG = '-s';
const FORMS = "write host or host:port, as in '192.0.2.20', 'assistant.example:36524' or '[2001:db8::20]:36524'";
/** RFC 1123 §2.1, with underscores as container networks use them. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})?(\.[a-z0-9_]([a-z0-9_-]{0,62})?)*\.?$/i;

/** Each text may hold several entries, separated by commas. */
export function parseInterceptAddresses(texts: readonly string[], defaultPort: number): readonly InterceptAddress[] {
  const seen = new Set<string>();
  const entries = texts.flatMap((text) => text.split(',')).map((text) => text.trim());
  return entries.map((text) => {
    const address = parseEntry(text, defaultPort);
    const key = `${address.host} ${address.port}`;
    if (seen.has(key)) throw optionError(FLAG, text, 'is given twice', 'more connections to one intercept are -C');
    seen.add(key);
    return address;
  });
}

function parseEntry(text: string, defaultPort: number): InterceptAddress {
  const match = /^(\[[^\]]*\]|[^:[\]]+)(?::(\d+))?$/.exec(text);
  if (!match) {
    if (parseIp(text)) throw optionError(FLAG, text, 'an IPv6 address needs brackets', `write [${text}]`);
    throw optionError(FLAG, text, text === '' ? 'an entry of the list is empty' : 'is not an intercept address', FORMS);
  }
  const [, hostText, portText] = match;
  const ip = parseIp(hostText!);
  const looksNumeric = /^[\d.]+$/.test(hostText!) || hostText!.startsWith('[');
  if (!ip && (looksNumeric || !HOST_NAME.test(hostText!))) {
    throw optionError(FLAG, text, `'${hostText}' is neither an IP address nor a host name`, FORMS);
  }
  const reason = ip && whyNotUnicast(ip);
  if (reason !== undefined) throw optionError(FLAG, text, reason, 'give the address the intercept listens on');
  const port = portText === undefined ? defaultPort : Number(portText);
  if (!(port >= 1 && port <= 65535)) throw optionError(FLAG, text, `${portText} is not a port (1 to 65535)`);
  return { host: hostText!.replace(/^\[|\]$/g, ''), port };
}
