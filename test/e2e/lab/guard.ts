/**
 * Proof that the copy keeps to itself. Counters and captures stand in every lab and are read at the end of every test:
 *
 * - online hosts: on the front wire nothing leaves but from the host's own front addresses; on the back wire nothing
 *   goes to anybody but test servers, and to assistants only from the host's own addresses;
 * - client hosts: nothing arrives but from an online host's front address, and only to a port from which this client
 *   opened a connection; a capture keeps every packet that is neither, and every reset, for the report.
 */
import { planOf, type Address } from './plan.ts';
import type { Host } from './host.ts';
import { bash, type Child, until } from './shell.ts';
import { outputOf } from './host.ts';

const list = (addresses: readonly string[]) => `{ ${addresses.join(', ')} }`;

export interface GuardReport {
  readonly violations: string[];
}

export class Guard {
  readonly #clients: readonly Host[];
  readonly #onlines: readonly Host[];
  readonly #watches: { readonly host: Host; readonly file: string; readonly tcpdump: Child }[] = [];

  constructor(hosts: readonly Host[]) {
    this.#clients = hosts.filter((host) => host.name.startsWith('client'));
    this.#onlines = hosts.filter((host) => host.name.startsWith('online'));
    const named = (start: string) => hosts.filter((host) => host.name.startsWith(start)).map((h) => h.on('back'));
    const tests = named('test');
    const assistants = named('assistant');
    for (const host of this.#onlines) installOnlineRules(host, tests, assistants);
    for (const host of this.#clients) {
      installClientRules(
        host,
        this.#onlines.map((online) => online.on('front')),
      );
    }
  }

  async startWatches(): Promise<void> {
    const servers = this.#onlines.map((host) => host.on('front'));
    for (const host of this.#clients) {
      const anyOf = (addresses: readonly string[]) => addresses.map((address) => `host ${address}`).join(' or ');
      const ordinary = `(${anyOf(host.frontAddresses)}) and (${anyOf(servers.flatMap(({ v4, v6 }) => [v4, v6]))})`;
      const file = host.file('client-watch.pcap');
      // Every handshake and reset, and whatever is not between this client and an online server.
      const filter = `((ip or ip6) and not (${ordinary})) or tcp[tcpflags] & (tcp-syn|tcp-rst) != 0`;
      const tcpdump = host.spawn('client-watch', [
        ...['tcpdump', '-i', 'any', '--immediate-mode', '-U', '-n', '-s', '96', '-w', file, filter],
      ]);
      await until('tcpdump did not start on the client', () => outputOf(tcpdump).includes('listening on'));
      this.#watches.push({ host, file, tcpdump });
    }
  }

  /** Reads counters and captures; what it returns are sentences, none when all is well. */
  async finish(): Promise<GuardReport> {
    const violations: string[] = [];
    for (const host of [...this.#onlines, ...this.#clients]) violations.push(...readCounters(host));
    for (const watch of this.#watches) {
      await watch.tcpdump.stop('SIGINT');
      violations.push(...readWatch(watch.host, watch.file, [...this.#onlines]));
    }
    return { violations };
  }
}

function installOnlineRules(host: Host, tests: readonly Address[], assistants: readonly Address[]): void {
  const plan = planOf(host.name);
  const rule = (family: 'ip' | 'ip6', v: 'v4' | 'v6') => ({
    front: `  ${family} saddr != ${plan.front![v]} counter comment "left the front wire with a foreign source"`,
    back: [
      `  ${family} daddr != ${list([...tests, ...assistants].map((a) => a[v]))} counter comment "left the back wire for a stranger"`,
      ...(assistants.length > 0
        ? [
            `  ${family} daddr ${list(assistants.map((a) => a[v]))} ${family} saddr != ${plan.back![v]} counter comment "copied packet to the assistant"`,
          ]
        : []),
    ],
  });
  const rules = [rule('ip', 'v4'), rule('ip6', 'v6')];
  host.sh(`nft -f - <<'NFT'
table netdev guard {
 chain front { type filter hook egress device front priority 0;
  meta l4proto != tcp accept
${rules.map((r) => r.front).join('\n')}
 }
 chain back { type filter hook egress device back priority 0;
  meta l4proto != tcp accept
${rules.flatMap((r) => r.back).join('\n')}
 }
}
NFT`);
}

function installClientRules(host: Host, onlines: readonly Address[]): void {
  const v4 = list(onlines.map((a) => a.v4));
  const v6 = list(onlines.map((a) => a.v6));
  host.sh(`nft -f - <<'NFT'
table inet guard {
 set opened { type inet_service; flags dynamic; size 65535;
 }
 chain out { type filter hook output priority 0;
  tcp flags & (syn | ack) == syn add @opened { tcp sport }
 }
 chain in { type filter hook prerouting priority -300;
  meta iifname "lo" accept
  meta l4proto != tcp accept
  ip saddr != ${v4} counter comment "came from somebody who is not an online server"
  ip6 saddr != ${v6} counter comment "came from somebody who is not an online server"
  tcp dport != @opened counter comment "came to a port that this client never opened"
 }
}
NFT`);
}

interface NftRule {
  readonly rule?: { readonly comment?: string; readonly chain: string; readonly expr: readonly object[] };
}

/** Every counter of a guard table stands on something that must not happen. */
function readCounters(host: Host): string[] {
  const json = JSON.parse(host.sh('nft -j list ruleset')) as { nftables: (NftRule & { rule?: { table: string } })[] };
  const out: string[] = [];
  for (const { rule } of json.nftables) {
    if (rule === undefined || rule.table !== 'guard') continue;
    const counter = rule.expr.find((e): e is { counter: { packets: number } } => 'counter' in e)?.counter;
    if (counter !== undefined && counter.packets > 0)
      out.push(`${host.name}: ${counter.packets} packets ${rule.comment ?? rule.chain}`);
  }
  return out;
}

const LINE = /^(?<proto>IP6?) (?<src>\S+)\.(?<sport>\d+) > (?<dst>\S+)\.(?<dport>\d+): Flags \[(?<flags>[^\]]*)\]/;

/** Goes through the client's capture: strangers, and resets of connections that this client did not open. */
function readWatch(host: Host, file: string, onlines: readonly Host[]): string[] {
  const own = new Set<string>([...host.frontAddresses, '127.0.0.1', '::1']);
  const servers = new Set(onlines.flatMap((online) => [online.on('front').v4, online.on('front').v6]));
  const out: string[] = [];
  const opened = new Set<string>();
  // -Q is not kept in files and `any` repeats nothing here: a client host has one device and does not forward.
  for (const line of bash(`tcpdump -n -t -r ${file} 'tcp' 2>/dev/null`).split('\n')) {
    const text = line.replace(/^\S+ +(In|Out) +/, '');
    const match = LINE.exec(text)?.groups;
    if (match === undefined) continue;
    const { src, dst, sport, dport, flags } = match as Record<'src' | 'dst' | 'sport' | 'dport' | 'flags', string>;
    const outgoing = own.has(src);
    if (src === '127.0.0.1' || src === '::1') continue;
    if (!servers.has(outgoing ? dst : src) || !own.has(outgoing ? src : dst)) out.push(`${host.name} saw: ${text}`);
    else if (outgoing && flags === 'S') opened.add(`${sport} ${dst}:${dport}`);
    else if (!outgoing && !opened.has(`${dport} ${src}:${sport}`))
      out.push(`${host.name} got a packet for a connection it never opened: ${text}`);
    else if (outgoing && flags.includes('R') && !opened.has(`${sport} ${dst}:${dport}`))
      out.push(`${host.name} had to reset a connection it never opened: ${text}`);
    if (out.length >= 20) break;
  }
  return out;
}
