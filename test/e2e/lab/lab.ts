/**
 * The lab: a small network of namespaces on this machine, with guards that every test ends on.
 *
 *     await withLab({ name: 'live' }, async (lab) => { … });
 *
 * Nothing of a lab outlives it: everything is inside namespaces named after the owning process, they are removed when
 * the body ends, throws or is interrupted, and a later run removes those of owners that were killed. When the body
 * throws, the lab's directory (logs, configurations, captures) stays and the error says where.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Guard } from './guard.ts';
import { Host } from './host.ts';
import { buildNetwork, namespaceOf, newPrefix, removeLeftovers, removeNetwork, STANDARD_HOSTS } from './network.ts';
import type { HostName } from './plan.ts';
import { bash } from './shell.ts';

export interface LabOptions {
  readonly name: string;
  /** Hosts besides client, online, test and assistant. */
  readonly extraHosts?: readonly HostName[];
  /** Default true: as the kernel has them. */
  readonly offloads?: boolean;
  /** The host between whose device (back, where it has both) and the wire a relay can run. */
  readonly relayBefore?: HostName;
  /** Hosts without guards, since they themselves send what these would take for ours. */
  readonly unguarded?: readonly HostName[];
}

let count = 0;
const alive = new Set<Lab>();

export class Lab {
  readonly name: string;
  readonly prefix: string;
  readonly directory: string;
  readonly guard: Guard;
  readonly #hosts: ReadonlyMap<HostName, Host>;

  static async create(options: LabOptions): Promise<Lab> {
    removeLeftovers();
    const lab = new Lab(options);
    await lab.guard.startWatches();
    return lab;
  }

  private constructor(options: LabOptions) {
    this.name = options.name;
    this.prefix = newPrefix((count += 1));
    this.directory = mkdtempSync(join(tmpdir(), `tcpcopy-lab-${options.name}-`));
    const names = [...STANDARD_HOSTS, ...(options.extraHosts ?? [])];
    hookSignals();
    alive.add(this);
    try {
      buildNetwork({
        prefix: this.prefix,
        hosts: names,
        offloads: options.offloads ?? true,
        relayBefore: options.relayBefore,
      });
      const host = (name: HostName) => {
        const directory = join(this.directory, name);
        mkdirSync(directory);
        return new Host(name, namespaceOf(this.prefix, name), directory);
      };
      this.#hosts = new Map(names.map((name) => [name, host(name)]));
      this.guard = new Guard([...this.#hosts.values()].filter((each) => !options.unguarded?.includes(each.name)));
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  host(name: HostName): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`this lab has no ${name}; add it to extraHosts`);
    return host;
  }

  get relayNamespace(): string {
    return namespaceOf(this.prefix, 'relay');
  }

  /** Ends everything; `keep` leaves the directory. */
  async destroy(keep = false): Promise<void> {
    for (const host of this.#hosts.values()) await host.stopChildren();
    this.discard();
    if (!keep) rmSync(this.directory, { recursive: true, force: true });
  }

  /** The part of `destroy` that needs no event loop, for exits. */
  discard(): void {
    removeNetwork(this.prefix);
    alive.delete(this);
  }
}

let hooked = false;

function hookSignals(): void {
  if (hooked) return;
  hooked = true;
  const discardAll = () => {
    for (const lab of [...alive]) {
      lab.discard();
      rmSync(lab.directory, { recursive: true, force: true });
    }
  };
  process.once('exit', discardAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      discardAll();
      process.kill(process.pid, signal);
    });
  }
}

/** Builds a lab, runs the body in it, checks the guards, and leaves nothing behind. */
export async function withLab(options: LabOptions, body: (lab: Lab) => Promise<void>): Promise<void> {
  const lab = await Lab.create(options);
  try {
    await body(lab);
    const { violations } = await lab.guard.finish();
    if (violations.length > 0) throw new Error(`the copy did not keep to itself:\n${violations.join('\n')}`);
  } catch (error) {
    await lab.destroy(true);
    if (error instanceof Error) error.message += `\n(the lab's files are kept in ${lab.directory})`;
    throw error;
  }
  await lab.destroy();
}

/** Why no lab can be built here; `undefined` when one can. */
export function labObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root: network namespaces need it';
  const missing = ['ip', 'nft', 'tcpdump', 'ethtool', 'nginx', 'wrk', 'ss', 'python3'].filter((tool) => {
    try {
      bash(`command -v ${tool}`);
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length > 0) return `missing programs: ${missing.join(', ')} (script/setup installs them)`;
  const probe = `tcprobe${process.pid}`;
  try {
    bash(`ip netns add ${probe}; ip netns del ${probe}`);
    return undefined;
  } catch {
    return 'network namespaces cannot be created here';
  }
}
