/** Load from wrk, with a unique id and a check value in every request, at a steady rate or as fast as it goes. */
import { writeFileSync } from 'node:fs';
import { outputOf, type Host } from './host.ts';
import { SERVICE_PORT } from './plan.ts';
import type { Child } from './shell.ts';

export interface WrkOptions {
  /** Host part of the URL; IPv6 in brackets. */
  readonly address: string;
  readonly port?: number;
  readonly path?: string;
  readonly connections?: number;
  readonly seconds?: number;
  /** Requests per second to offer; without it as fast as the server answers. */
  readonly rate?: number;
  /** Bytes of body: then requests are POSTs. */
  readonly body?: number;
  /** Another header line, without its end. */
  readonly header?: string;
  /** A new connection for each request. */
  readonly short?: boolean;
  /** Put before each id, to tell loads apart. */
  readonly tag?: string;
  /** A command that starts it, such as one that gives it priority. */
  readonly through?: readonly string[];
}

export interface WrkResult {
  readonly requests: number;
  readonly perSecond: number;
  /** Time to the whole response, ms. */
  readonly latency: { readonly mean: number; readonly p50: number; readonly p99: number };
  /** wrk's line about socket errors, if it wrote one. */
  readonly errors: string | undefined;
}

// Check values differ in content and in length, so that requests do too.
const script = (o: Required<WrkOptions>) => `
local n = 0
local body = string.rep("x", ${o.body})
local method = ${o.body > 0} and "POST" or "GET"
local extra = ${o.body > 0} and "\\r\\nContent-Length: ${o.body}" or ""
local connection = ${o.short} and "close" or "keep-alive"
request = function()
  n = n + 1
  local check = string.format("%08x", (n * 2654435761) % 4294967296)
  return method .. " ${o.path}?id=${o.tag}" .. n .. " HTTP/1.1\\r\\nHost: online.example\\r\\nConnection: " .. connection ..
    "\\r\\nX-Check: " .. string.rep(check, 1 + n % 7) .. extra .. "${o.header === '' ? '' : `\\r\\n${o.header}`}" .. "\\r\\n\\r\\n" .. body
end
${
  o.rate === 0
    ? ''
    : `
-- Each of C connections waits C / rate between an answer and the next request, spread at the start. wrk takes whole
-- milliseconds, so the remainder is dithered.
local wait = 1000 * ${o.connections} / ${o.rate}
local started = 0
delay = function()
  started = started + 1
  if started <= ${o.connections} then return math.floor(wait * started / ${o.connections}) end
  return math.floor(wait * 0.97 + math.random())
end`
}
`;

/** A wrk that runs beside the test. */
export class Wrk {
  readonly child: Child;

  constructor(host: Host, options: WrkOptions) {
    const o = {
      port: SERVICE_PORT,
      path: '/1k',
      connections: 32,
      seconds: 10,
      rate: 0,
      body: 0,
      header: '',
      short: false,
      tag: '',
      through: [],
      ...options,
    };
    const file = host.file(`load-${o.tag}.lua`);
    writeFileSync(file, script(o));
    const url = `http://${o.address}:${o.port}${o.path}`;
    this.child = host.spawn('wrk', [
      ...[
        ...o.through,
        'wrk',
        '-t1',
        `-c${o.connections}`,
        `-d${o.seconds}s`,
        '--timeout',
        '30s',
        '--latency',
        '-s',
        file,
        url,
      ],
    ]);
  }

  /** Ends it before its time. */
  stop(): Promise<WrkResult> {
    this.child.kill('SIGINT');
    return this.finished();
  }

  async finished(): Promise<WrkResult> {
    const { code } = await this.child.exited;
    const text = outputOf(this.child);
    const found = /(\d+) requests in ([\d.]+)(ms|s|m)/.exec(text);
    if (code !== 0 || found === null) throw new Error(`wrk failed (${code}): ${text}`);
    return {
      requests: Number(found[1]),
      latency: {
        mean: timeOf(text, /Latency +(\S+)/),
        p50: timeOf(text, /50% +(\S+)/),
        p99: timeOf(text, /99% +(\S+)/),
      },
      perSecond: Number(/Requests\/sec: +([\d.]+)/.exec(text)?.[1] ?? 0),
      errors: /Socket errors: .*/.exec(text)?.[0],
    };
  }
}

/** A load that lasts until it is stopped, s. */
export const UNTIL_STOPPED = 90;

/** A time as wrk writes it, `635.91us`, in ms. */
function timeOf(text: string, where: RegExp): number {
  const [, number, unit] = /^([\d.]+)(us|ms|s|m)$/.exec(where.exec(text)?.[1] ?? '') ?? [];
  return Number(number) * { us: 0.001, ms: 1, s: 1_000, m: 60_000 }[unit as 'us' | 'ms' | 's' | 'm'];
}

/** Runs a load to its end. */
export function runWrk(host: Host, options: WrkOptions): Promise<WrkResult> {
  return new Wrk(host, options).finished();
}
