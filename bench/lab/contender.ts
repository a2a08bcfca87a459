/** What a load is copied by: our two programs, a peer's, or nothing. */
import type { Lab } from '../../test/e2e/lab/lab.ts';
import { COPY_NET, CONTROL_PORT, SERVICE_PORT, type HostName } from '../../test/e2e/lab/plan.ts';
import { startIntercept, startTcpcopy } from '../../test/e2e/lab/programs.ts';
import { sleep, type Child } from '../../test/e2e/lab/shell.ts';
import type { LoadCase } from './cases.ts';

/** Where the copies of a contender go, and which host takes their responses. */
export interface Seat {
  readonly test: HostName;
  readonly assistant: HostName;
}

export const FIRST_SEAT: Seat = { test: 'test', assistant: 'assistant' };
/** Of whoever copies beside another one. */
export const SECOND_SEAT: Seat = { test: 'test2', assistant: 'assistant2' };

export interface Running {
  /** The process that copies, and the one that takes the responses. */
  readonly tcpcopy: Child;
  readonly intercept: Child;
  /** Ends tcpcopy; why requests were not copied, by its own account, the warm-up's included. */
  readonly lost?: () => Promise<Readonly<Record<string, number>>>;
}

export interface Contender {
  readonly name: string;
  /** Whether what it sends is held to the lab's guards. */
  readonly guarded: boolean;
  /** Whether it takes the second seat when it copies beside another one. */
  readonly movable: boolean;
  /** `undefined`: nothing copies. */
  start(lab: Lab, loadCase: LoadCase, seat: Seat): Promise<Running | undefined>;
}

export const NOBODY: Contender = {
  name: 'nobody',
  guarded: true,
  movable: false,
  start: () => Promise.resolve(undefined),
};

/** `extraArgs`: for tcpcopy, in every case. */
export function ours(extraArgs: readonly string[]): Contender {
  return {
    name: 'ours',
    guarded: true,
    movable: true,
    async start(lab, { plugins = [] }, { test, assistant }) {
      const intercept = await startIntercept(lab.host(assistant));
      const target = `${SERVICE_PORT}-${lab.host(test).on('back').v4}:${SERVICE_PORT}`;
      // Over IPv6, since a peer beside it may look at all that reaches the host over IPv4, and would pay for it.
      const link = `[${lab.host(assistant).on('back').v6}]`;
      const args = ['-x', target, '-s', link, '-c', COPY_NET.pattern, '-i', 'front', ...extraArgs, ...plugins];
      const tcpcopy = await startTcpcopy(lab.host('online'), args);
      const lost = async () => {
        await tcpcopy.stop();
        const { buckets } = tcpcopy.summary().requests;
        const counts = Object.entries(buckets).filter(([name, n]) => n > 0 && !DELIVERED.includes(name));
        return Object.fromEntries(counts);
      };
      return { tcpcopy: tcpcopy.child, intercept: intercept.child, lost };
    },
  };
}

const DELIVERED = ['answered', 'unanswered'];

/** Long enough for a peer's programs to find each other. */
const PEER_SETTLES = 1_000;

/** Shell commands, run inside the online host and the assistant. They name hosts of the first seat. */
export interface PeerCommands {
  readonly tcpcopy: string;
  readonly intercept: string;
}

/** Of the options `--peer` and `--peer-intercept`; `undefined`: neither was given. Ends the bench where only one was. */
export function peerCommands(options: Partial<Record<'peer' | 'peer-intercept', string>>): PeerCommands | undefined {
  const { peer: tcpcopy, 'peer-intercept': intercept } = options;
  if (tcpcopy !== undefined && intercept !== undefined) return { tcpcopy, intercept };
  if (tcpcopy === undefined && intercept === undefined) return undefined;
  console.error('bench: --peer and --peer-intercept go together');
  process.exit(2);
}

export function peer(commands: PeerCommands): Contender {
  return { name: 'peer', guarded: false, movable: false, start: (lab) => startPeer(lab, commands) };
}

export async function startPeer(lab: Lab, commands: PeerCommands): Promise<Running> {
  const assistant = lab.host('assistant');
  const intercept = assistant.spawn('peer-intercept', ['bash', '-c', `exec ${commands.intercept}`]);
  await assistant.listening(CONTROL_PORT);
  const tcpcopy = lab.host('online').spawn('peer-tcpcopy', ['bash', '-c', `exec ${commands.tcpcopy}`]);
  await sleep(PEER_SETTLES);
  if (tcpcopy.exit !== undefined) throw new Error(`the peer ended at once; its output is in ${tcpcopy.outputFile}`);
  return { tcpcopy, intercept };
}
