/**
 * Two loads of a service that take turns of a fraction of a second, each request timed, half of them on connections of their
 * own, with a copier beside them in every second turn. What drifts with the machine is the same for turns that lie so close
 * together, and thousands of requests in all do not depend on how one run of wrk has begun.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { outputOf, type Host } from '../../test/e2e/lab/host.ts';
import type { Service } from './services.ts';
import type { TimedRequest } from './wire-latency.ts';

/** A turn, ms, and when in it requests are sent: what the other left behind is over by then. No divisor of a second. */
export const TURN = 230;
const FROM = 25;
const UNTIL = 220;

/** Connections of each kind and turn, a thread of wrk each, so that it is known which response belongs to which request. */
const CONNECTIONS = 16;

export interface Turn {
  /** Milliseconds from the request to the whole response. */
  readonly latencies: readonly number[];
}

/** Where in the order of turns a time of the monotonic clock lies, ms; the odd ones are `copied`. */
export function turnAt(now: number): number {
  return Math.floor(now / TURN);
}

// Waits are of any length around the mean one, so that connections never keep step, and are those of the load's own time:
// the turns of the other are not in it. wrk takes whole milliseconds.
const script = (directory: string, tag: string, parity: number, short: boolean, { load, rate }: Service) => `
local ffi = require("ffi")
ffi.cdef("typedef struct { long s; long ns; } instant; int clock_gettime(int clock, instant *to);")
local instant = ffi.new("instant")
local function now()
  ffi.C.clock_gettime(1, instant)
  return tonumber(instant.s) * 1000 + tonumber(instant.ns) / 1e6
end
local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end
local out, began
function init()
  -- The same in both kinds of turns.
  math.randomseed(number * 7919)
  for _ = 1, 10 do math.random() end
  out = io.open("${directory}/latency-${tag}-" .. number, "w")
  out:setvbuf("full", 65536)
end
function delay()
  local t = now()
  local left = math.random() * 2000 * ${CONNECTIONS} / ${rate / 2}
  local at = t
  while true do
    local turn = math.floor(at / ${TURN})
    local from, till = turn * ${TURN} + ${FROM}, turn * ${TURN} + ${UNTIL}
    if turn % 2 == ${parity} and at < till then
      at = math.max(at, from)
      if at + left < till then break end
      left = left - (till - at)
    end
    at = (turn + 1) * ${TURN}
  end
  return math.floor(at + left - t + math.random())
end
function request()
  local text = "GET ${load.path} HTTP/1.1\\r\\nHost: online.example\\r\\nConnection: ${short ? 'close' : 'keep-alive'}\\r\\n${load.header === undefined ? '' : `${load.header}\\r\\n`}\\r\\n"
  began = now()
  return text
end
function response()
  out:write(string.format("%.3f %.3f\\n", began, now() - began))
end
`;

export interface AlternatingLoadOptions {
  readonly address: string;
  /** Of the load in even turns, and in odd ones. */
  readonly ports: readonly [number, number];
  readonly service: Service;
  readonly seconds: number;
  readonly through: readonly string[];
}

/** Runs it; what the clients saw, in pairs of turns. */
export async function alternate(host: Host, options: AlternatingLoadOptions): Promise<[Turn[], Turn[]]> {
  const tags = ['long', 'short'].flatMap((kind) => [0, 1].map((parity) => ({ kind, parity, tag: `${kind}${parity}` })));
  const loads = tags.map(({ kind, parity, tag }) => {
    const file = host.file(`alternate-${tag}.lua`);
    writeFileSync(file, script(host.directory, tag, parity, kind === 'short', options.service));
    const url = `http://${options.address}:${options.ports[parity]}${options.service.load.path}`;
    const many = [`-t${CONNECTIONS}`, `-c${CONNECTIONS}`, `-d${options.seconds}s`, '--timeout', '30s'];
    return host.spawn('wrk', [...options.through, 'wrk', ...many, '-s', file, url]);
  });
  for (const load of loads) {
    const { code } = await load.exited;
    if (code !== 0) throw new Error(`wrk failed (${code}): ${outputOf(load)}`);
  }
  const requests: TimedRequest[] = [];
  for (const name of readdirSync(host.directory).filter((file) => file.startsWith('latency-'))) {
    for (const line of readFileSync(host.file(name), 'utf8').split('\n')) {
      if (line === '') continue;
      const [at, took] = line.split(' ').map(Number) as [number, number];
      requests.push({ at, took });
    }
  }
  return inPairs(requests);
}

/** The requests of turns that were whole, by turns: the even ones, and the odd ones that follow them. */
export function inPairs(requests: readonly TimedRequest[]): [Turn[], Turn[]] {
  const turns = new Map<number, number[]>();
  for (const { at, took } of requests) {
    const number = turnAt(at);
    const latencies = turns.get(number) ?? [];
    turns.set(number, latencies);
    latencies.push(took);
  }
  const order = [...turns.keys()].sort((a, b) => a - b);
  // The first and the last have begun late, or ended early.
  const even = order.slice(1, -1).filter((turn) => turn % 2 === 0 && turns.has(turn + 1) && turn + 1 < order.at(-1)!);
  const pick = (offset: number): Turn[] => even.map((turn) => ({ latencies: turns.get(turn + offset)! }));
  return [pick(0), pick(1)];
}
