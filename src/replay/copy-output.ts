/** Where what a run makes of its input goes: to the target over raw or ordinary sockets, into files, or nowhere. */
import { unixNow } from '../clock/clock.ts';
import type { CopyOptions } from '../config/copy-options.ts';
import { formatIp, type IpAddress } from '../core/ip-address.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import type { Instant } from '../core/time.ts';
import { createSink } from '../inject/open-sink.ts';
import type { PacketSink } from '../inject/packet-sink.ts';
import type { Ledger } from '../report/ledger.ts';
import { AcknowledgingPeer } from './acknowledging-peer.ts';
import type { RunOptions } from './copy-input.ts';
import { DiscardingTarget } from './discarding-target.ts';
import { RawNetwork } from './raw-network.ts';
import { Recording } from './recording.ts';
import { SocketTarget } from './socket-target.ts';
import type { Target } from './target.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** Nothing of it is open yet. */
export interface Output {
  readonly target: Target;
  /** Where the run records. */
  readonly recording?: Recording;
  /** Where sessions are raw. */
  readonly raw?: { readonly sink: PacketSink; readonly network: RawNetwork };
}

export interface OutputParts {
  readonly wheel: TimerWheel;
  readonly ledger: Ledger;
  readonly now: () => Instant;
  /** Whether the bytes of responses are read here. */
  readonly wantsPayload: boolean;
  /** Something can be sent: run a turn of the loop. */
  readonly wake: () => void;
  /** Responses wait to be taken. */
  readonly responsesReady: () => void;
}

/** Whether anything of the input reaches a target. */
export function sendsToTarget(options: RunOptions): boolean {
  return options.target !== 'recording' && !options.dryRun && options.writeFile === undefined;
}

export function createOutput(options: RunOptions, environment: RunEnvironment, parts: OutputParts): Output {
  if (options.target === 'recording') {
    const recording = new Recording(options, environment.version ?? '');
    return { target: recording.target, recording };
  }
  if (options.dryRun && options.writeFile === undefined) return { target: new DiscardingTarget() };
  if (options.target === 'socket') return { target: new SocketTarget(options.maxSessions, parts.wake) };
  return createRaw(options, environment, parts);
}

function createRaw(options: CopyOptions, { log, version = '' }: RunEnvironment, parts: OutputParts): Output {
  const { sink: way, note } = createSink({
    backend: options.io,
    file: options.writeFile,
    clock: unixNow,
    destinations: targetAddresses(options),
    told: (line) => log.debug(line),
  });
  if (note !== undefined) log.warn(`sending through raw-socket: ${note}`);
  const peer = options.writeFile === undefined ? undefined : new AcknowledgingPeer(way);
  const sink = peer ?? way;
  const network = new RawNetwork({ ...parts, options, sink, peer, log, version });
  return { target: network.target, raw: { sink, network } };
}

/** Each once. */
function targetAddresses({ mappings }: CopyOptions): IpAddress[] {
  return [...new Map(mappings.map(({ target: { address } }) => [formatIp(address), address])).values()];
}
