/** One machine of the lab: a network namespace, with what runs in it. */
import { readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { planOf, type Address, type HostName, type Wire } from './plan.ts';
import { bash, Child, PATIENCE, until } from './shell.ts';

export class Host {
  readonly name: HostName;
  readonly namespace: string;
  /** Where this host's logs and configuration files go. */
  readonly directory: string;
  readonly #children: Child[] = [];
  #spawned = 0;

  constructor(name: HostName, namespace: string, directory: string) {
    this.name = name;
    this.namespace = namespace;
    this.directory = directory;
  }

  /** This host's addresses on a wire it is plugged into. */
  on(wire: Wire): Address {
    const address = planOf(this.name)[wire];
    if (address === undefined) throw new Error(`${this.name} is not on the ${wire} wire`);
    return address;
  }

  /** All addresses of this host on the front wire. */
  get frontAddresses(): string[] {
    const { v4, v6 } = this.on('front');
    return [v4, v6, ...(planOf(this.name).aliases ?? [])];
  }

  /** A command line that runs `command` inside this host. */
  inside(command: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.namespace, ...command];
  }

  /** Runs a bash script inside this host and gives its standard output. */
  sh(script: string): string {
    return bash(`ip netns exec ${this.namespace} bash -e -o pipefail <<'LAB_SCRIPT'\n${script}\nLAB_SCRIPT`);
  }

  file(name: string): string {
    return join(this.directory, name);
  }

  /** Starts a program that runs until it ends or the lab is torn down. */
  spawn(label: string, command: readonly string[], env?: NodeJS.ProcessEnv): Child {
    this.#spawned += 1;
    const child = new Child(this.inside(command), this.file(`${label}-${this.#spawned}.out`), env);
    this.#children.push(child);
    return child;
  }

  /** Waits until something listens on a TCP port here. */
  async listening(port: number, timeout = PATIENCE): Promise<void> {
    await until(
      `${this.name}: nothing listens on port ${port}`,
      () => this.sh(`ss -Hltn 'sport = :${port}'`).trim() !== '',
      timeout,
    );
  }

  /** Stops what was started here, last first. */
  async stopChildren(): Promise<void> {
    for (const child of this.#children.reverse()) await child.stop('SIGTERM', 2_000);
  }
}

/** What a child has written so far. */
export function outputOf(child: Child): string {
  return existsSync(child.outputFile) ? readFileSync(child.outputFile, 'utf8') : '';
}
