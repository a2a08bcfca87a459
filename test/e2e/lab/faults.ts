/** What can go wrong on the wires of a lab. Rules stand in netdev hooks, so that every way of sending passes them. */
import { fileURLToPath } from 'node:url';
import { outputOf, type Host } from './host.ts';
import type { Lab } from './lab.ts';
import { namespaceOf } from './network.ts';
import { Child, until } from './shell.ts';

export interface DropOptions {
  /** Which of the host's devices. */
  readonly device: string;
  /**
   * A drop at `egress` happens before captures on either side see the packet; one at `ingress` after the receiving
   * host's captures saw it.
   */
  readonly hook: 'ingress' | 'egress';
  /** An nft match, such as `ip daddr 10.77.2.2 tcp dport 80`. */
  readonly match: string;
  /** Percent of matching packets to lose at random; 100 loses all. */
  readonly percent: number;
}

let rules = 0;

/** Loses matching packets until `remove` is called. */
export class Drop {
  readonly #host: Host;
  readonly #table: string;

  constructor(host: Host, o: DropOptions) {
    this.#host = host;
    this.#table = `drop${(rules += 1)}`;
    const chance = o.percent >= 100 ? '' : `numgen random mod 10000 < ${Math.round(o.percent * 100)} `;
    host.sh(`nft -f - <<'NFT'
table netdev ${this.#table} {
 chain c { type filter hook ${o.hook} device ${o.device} priority 10;
  ${o.match} ${chance}counter drop
 }
}
NFT`);
  }

  /** Packets lost so far. */
  dropped(): number {
    return Number(/packets (\d+)/.exec(this.#host.sh(`nft list table netdev ${this.#table}`))?.[1] ?? 0);
  }

  remove(): void {
    this.#host.sh(`nft delete table netdev ${this.#table}`);
  }
}

export interface RelayOptions {
  /** Percent of TCP frames, each way. */
  readonly drop?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  readonly holdMs?: number;
  readonly delayMs?: number;
  /** A byte of TCP's is another, which the checksum gives away. */
  readonly corrupt?: number;
  /** Loses just the nth frame with payload that leaves the host. */
  readonly losePayload?: number;
  readonly seed?: number;
}

export interface RelayCounts {
  readonly relayed: number;
  readonly dropped: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly corrupted: number;
  readonly unsent: number;
}

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** The relay of a lab made with `relayBefore`; without one running that host's wire is cut. */
export class Relay {
  readonly #child: Child;

  static async start(lab: Lab, o: RelayOptions = {}): Promise<Relay> {
    const flags: readonly (readonly [string, number | undefined])[] = [
      ['--drop', o.drop],
      ['--duplicate', o.duplicate],
      ['--reorder', o.reorder],
      ['--hold-ms', o.holdMs],
      ['--delay-ms', o.delayMs],
      ['--corrupt', o.corrupt],
      ['--lose-payload', o.losePayload],
      ['--seed', o.seed],
    ];
    const args = flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]));
    const ns = namespaceOf(lab.prefix, 'relay');
    const command = ['ip', 'netns', 'exec', ns, 'python3', script('relay.py'), 'inner', 'outer', ...args];
    const child = new Child(command, `${lab.directory}/relay.out`);
    await until('the relay did not start', () => outputOf(child).includes('relaying'));
    return new Relay(child);
  }

  private constructor(child: Child) {
    this.#child = child;
  }

  async stop(): Promise<RelayCounts> {
    await this.#child.stop('SIGTERM');
    return JSON.parse(outputOf(this.#child).trim().split('\n').at(-1)!) as RelayCounts;
  }
}

/** Gives a host a device `mirror` on which everything that passes `device` appears with a VLAN tag. */
export async function startTaggedMirror(host: Host, device: string, vlan: number): Promise<void> {
  host.sh(`
    ip link add mirror type veth peer name mirror-in
    sysctl -qw net.ipv6.conf.mirror.disable_ipv6=1 net.ipv6.conf.mirror-in.disable_ipv6=1
    ip link set mirror-in mtu 9000 up
    ip link set mirror mtu 9000 up`);
  const child = host.spawn('tagger', ['python3', script('tagger.py'), device, 'mirror-in', String(vlan)]);
  await until('the mirror did not start', () => outputOf(child).includes('mirroring'));
}
