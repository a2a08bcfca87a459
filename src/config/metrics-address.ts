/** `--metrics`: `port`, `host:port`, `[v6]:port`. Without a host it is told to this machine only. */
import { parseIp } from '../core/ip-address.ts';
import type { MetricsAddress } from './copy-options.ts';
import { optionError } from './option-error.ts';

const FLAG = '--metrics';
const LOOPBACK = '127.0.0.1';
const FORMS = "write port, address:port or [v6]:port, as in '9464' or '192.0.2.7:9464'";

export function parseMetricsAddress(text: string): MetricsAddress {
  const match = /^(?:(\[[^\]]*\]|[^:[\]]+):)?(\d+)$/.exec(text.trim());
  if (!match) throw optionError(FLAG, text, 'is not an address to listen on', FORMS);
  const [, hostText, portText] = match;
  if (hostText !== undefined && parseIp(hostText) === undefined) {
    throw optionError(FLAG, text, `'${hostText}' is not an IP address`, FORMS);
  }
  const port = Number(portText);
  if (!(port >= 1 && port <= 65_535)) throw optionError(FLAG, text, `${portText} is not a port (1 to 65535)`);
  return { host: hostText?.replace(/^\[|\]$/g, '') ?? LOOPBACK, port };
}
