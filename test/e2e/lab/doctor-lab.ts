/** A lab for the doctor: everything set up right, to be broken in one way after the other and put right again. */
import { outputOf, type Host } from './host.ts';
import type { Lab } from './lab.ts';
import { ASSISTANT } from './live-copy.ts';
import { LoadClient } from './load.ts';
import { namespaceOf } from './network.ts';
import { CONTROL_PORT } from './plan.ts';
import { Nginx } from './nginx.ts';
import { builtProgram, startIntercept, startTcpcopy, type RunningProgram } from './programs.ts';
import { ownProgram } from './servers.ts';
import { bash } from './shell.ts';

const HOSTS = { online: 'online', test: 'test', assistant: 'assistant' } as const;
/** Two wires lead from the test server to the assistant. */
const INTERCEPT_ARGS = ['-i', 'back,side'];

export interface DoctorRun {
  readonly code: number | null;
  readonly output: string;
}

export interface Fix {
  readonly host: keyof typeof HOSTS;
  readonly command: string;
}

export class DoctorLab {
  readonly lab: Lab;
  #intercept: RunningProgram | undefined;
  #interceptArgs = '';
  #nginx: Nginx | undefined;
  readonly #others: { stop(): Promise<unknown> }[] = [];

  static async create(lab: Lab): Promise<DoctorLab> {
    const doctor = new DoctorLab(lab);
    const [test, assistant] = [lab.host('test'), lab.host('assistant')].map((host) => host.namespace);
    bash(`
      ip link add side netns ${test} type veth peer name side netns ${assistant}
      ip -n ${test} addr add 10.77.3.2/24 dev side && ip -n ${test} link set side up
      ip -n ${assistant} addr add 10.77.3.3/24 dev side && ip -n ${assistant} link set side up`);
    await Nginx.start(lab.host('online'));
    // A trickle for as long as the matrix takes, so that there is something to copy.
    const load = new LoadClient(lab.host('client'), {
      address: lab.host('online').on('front').v4,
      requests: 20_000,
      rate: 40,
      connections: 2,
      perConnection: 5,
    });
    void load;
    await doctor.reset();
    return doctor;
  }

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  /** Both programs' key, where a case gives them one: hosts of a lab share a disk. */
  get keyFile(): string {
    return `${this.lab.directory}/control.key`;
  }

  get online(): Host {
    return this.lab.host('online');
  }

  get test(): Host {
    return this.lab.host('test');
  }

  get assistant(): Host {
    return this.lab.host('assistant');
  }

  /** Changes something of the switch between the hosts. */
  onSwitch(command: string): void {
    bash(`ip netns exec ${namespaceOf(this.lab.prefix, 'switch')} ${command}`);
  }

  async doctor(args: readonly string[]): Promise<DoctorRun> {
    const child = this.online.spawn('doctor', [process.execPath, builtProgram('tcpcopy'), 'doctor', ...args]);
    const { code } = await child.exited;
    return { code, output: outputOf(child) };
  }

  /** `intercept` on the assistant server, to its end. */
  async check(args: readonly string[]): Promise<DoctorRun> {
    const child = this.assistant.spawn('check', [process.execPath, builtProgram('intercept'), ...args]);
    const { code } = await child.exited;
    return { code, output: outputOf(child) };
  }

  async startService(): Promise<void> {
    this.#nginx ??= await Nginx.start(this.test);
  }

  async stopService(): Promise<void> {
    await this.#nginx?.child.stop();
    this.#nginx = undefined;
  }

  async stopIntercept(): Promise<void> {
    await this.#intercept?.stop('SIGTERM');
    this.#intercept = undefined;
    this.#interceptArgs = '';
  }

  async startIntercept(args: readonly string[] = INTERCEPT_ARGS): Promise<void> {
    const wanted = args.join(' ');
    if (wanted === this.#interceptArgs) return;
    await this.stopIntercept();
    this.#intercept = await startIntercept(this.assistant, args);
    this.#interceptArgs = wanted;
  }

  /** Another copy from the same addresses, with an intercept of its own. */
  async startOtherCopier(args: readonly string[]): Promise<void> {
    this.#others.push(await startIntercept(this.assistant, ['-i', 'back', '-p', '36525'], 36_525));
    this.#others.push(await startTcpcopy(this.online, [...args, '-p', '36525']));
  }

  async startInterceptOnTest(device: string): Promise<void> {
    this.#others.push(await startIntercept(this.test, ['-i', device]));
  }

  /** Something in the intercept's place that speaks versions of the future only. */
  async startOtherRelease(): Promise<void> {
    await this.stopIntercept();
    const child = this.assistant.spawn('other-release', ownProgram('other-release.ts', { port: CONTROL_PORT }));
    await this.assistant.listening(CONTROL_PORT);
    this.#others.push({ stop: () => child.stop() });
  }

  async stopOthers(): Promise<void> {
    for (const other of this.#others.splice(0).reverse()) await other.stop();
  }

  /** Puts everything back as it should be, whatever was broken or mended. */
  async reset(): Promise<void> {
    await this.stopOthers();
    for (const host of [this.online, this.test, this.assistant]) {
      host.sh(`iptables -F; iptables -t raw -F; nft delete table inet broken 2>/dev/null || true`);
    }
    this.test.sh(`
      sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.back.rp_filter=2 net.ipv4.conf.side.rp_filter=2
      ip link del hole 2>/dev/null || true
      ip route flush root 198.18.0.0/15; ip route flush root 192.168.0.0/16
      ip route replace 192.168.100.0/24 via ${ASSISTANT}
      ip route replace 10.77.1.0/24 via ${ASSISTANT}`);
    this.assistant.sh('sysctl -qw net.ipv4.ip_forward=0');
    this.onSwitch('ip link set b-test mtu 1500');
    await this.startService();
    await this.startIntercept();
  }

  /** The key file that a fix calls `control.key`. */
  #named(command: string): string {
    return command.replace('control.key', this.keyFile);
  }

  /** Does what a fix says, on the host it names; gives the doctor's options as they are then. */
  async apply({ host, command }: Fix, args: readonly string[]): Promise<readonly string[]> {
    if (command.startsWith('tcpcopy … ')) return replaced(args, this.#named(command).split(' ').slice(2));
    // What a person does by copying a file, or by installing a package.
    if (command.startsWith('npm ')) return args;
    if (command.startsWith('ss ')) return args;
    if (command.startsWith('intercept ')) {
      const words = command.split(' ').filter((word) => word !== '-d');
      await this.startIntercept(words.slice(1));
      return args;
    }
    this.lab.host(HOSTS[host]).sh(command);
    return args;
  }
}

/** The fixes that a doctor's screen shows. */
export function fixesIn(output: string): Fix[] {
  return [...output.matchAll(/^ {3}fix {3}(online|test|assistant)# +(.*)$/gm)].map((match) => ({
    host: match[1] as Fix['host'],
    command: match[2]!,
  }));
}

/** The titles of what it found. */
export function findingsIn(output: string): string[] {
  return [...output.matchAll(/^\d+\. (.*)$/gm)].map((match) => match[1]!);
}

/** An option in the place of the same one. */
function replaced(args: readonly string[], [flag = '', value]: readonly string[]): string[] {
  if (flag === '(without') {
    const at = args.indexOf(value!.replace(')', ''));
    return [...args.slice(0, at), ...args.slice(at + 2)];
  }
  const at = args.indexOf(flag);
  const rest = at < 0 ? args : [...args.slice(0, at), ...args.slice(at + 2)];
  return [...rest, flag, ...(value === undefined ? [] : [value])];
}
