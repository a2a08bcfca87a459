/**
 * The address plan of the lab: who is on which wire, and under which addresses. One place, so that the pages in
 * docs/topologies, the tests and the demo agree.
 *
 *     client ── front (10.77.1.0/24) ── online ── back (10.77.2.0/24) ── test, assistant
 *
 * The clients and the test server never share a wire, as in reality. The test server sends what it answers to a client
 * network (the original 10.77.1.0/24, or the `-c` network 192.168.100.0/24) to the assistant, which does not forward.
 */

export type Wire = 'front' | 'back';

export interface Address {
  readonly v4: string;
  readonly v6: string;
}

export interface HostPlan {
  readonly front?: Address;
  readonly back?: Address;
  /** More IPv4 addresses on the front wire: one machine that stands for many clients. */
  readonly aliases?: readonly string[];
  /** Hosts that a lab has only when asked for. */
  readonly optional?: true;
}

const front = (n: number): Address => ({ v4: `10.77.1.${n}`, v6: `fd77:1::${n}` });
const aliases = (first: number) => Array.from({ length: 10 }, (_, i) => `10.77.1.${first + i}`);
const back = (n: number): Address => ({ v4: `10.77.2.${n}`, v6: `fd77:2::${n}` });

export const HOSTS = {
  client: { front: front(10), aliases: aliases(100) },
  client2: { front: front(11), aliases: aliases(110), optional: true },
  online: { front: front(1), back: back(1) },
  online2: { front: front(2), back: back(11), optional: true },
  test: { back: back(2) },
  test2: { back: back(12), optional: true },
  assistant: { back: back(3) },
  assistant2: { back: back(13), optional: true },
} as const satisfies Record<string, HostPlan>;

export type HostName = keyof typeof HOSTS;

export function planOf(name: HostName): HostPlan {
  return HOSTS[name];
}

/** The networks that original clients live in. */
export const CLIENT_NET = { v4: '10.77.1.0/24', v6: 'fd77:1::/64' } as const;

/** The network of the `-c` addresses: nobody lives there. */
export const COPY_NET = { v4: '192.168.100.0/24', v6: 'fd77:100::/64', pattern: '192.168.100.x' } as const;

export const SERVICE_PORT = 80;
export const CONTROL_PORT = 36524;
