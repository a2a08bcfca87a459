import type { Refusal } from './peer.ts';

/** What an intercept counts. frames = segments + notSegments; segments = all of the rest but kernelDropped. */
export interface InterceptStats {
  readonly frames: number;
  /** Frames that never reached us. */
  readonly kernelDropped: number;
  /** Frames that were no TCP segment, by reason. */
  readonly notSegments: Readonly<Record<string, number>>;
  readonly segments: number;
  /** Sent to a tcpcopy. */
  readonly forwarded: number;
  /** Not sent, because its tcpcopy read too slowly or its connection broke. */
  readonly dropped: number;
  /** Not from a target, or to a port that nobody leases. */
  readonly unrouted: number;
  /** With a wrong checksum: a receiver would not take them either. */
  readonly damaged: number;
  /** Copies of a segment that another device or direction showed first. */
  readonly copies: number;
  /** For a tcpcopy that is not connected just now. */
  readonly absent: number;
  readonly instances: number;
  readonly connections: number;
  /** Control connections that were not let in, or thrown out for what they sent, by reason. */
  readonly refused: Readonly<Partial<Record<Refusal, number>>>;
  readonly freeBlocks: number;
}

const INTEGER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Lines for a person: what there was none of is not named. */
export function describeStats(s: InterceptStats): string[] {
  const became = [
    [s.forwarded, 'forwarded'],
    [s.dropped, 'dropped: their tcpcopy read too slowly'],
    [s.absent, 'for a tcpcopy that is not connected'],
    [s.copies, 'seen before on another device'],
    [s.damaged, 'damaged'],
    [s.unrouted, 'not asked for'],
  ] as const;
  const parts = became.filter(([n]) => n > 0).map(([n, what]) => `${INTEGER.format(n)} ${what}`);
  const connected =
    s.instances === 0
      ? 'no tcpcopy is connected'
      : `${plural(s.instances, 'tcpcopy instance')} over ${plural(s.connections, 'connection')}`;
  return [
    `${plural(s.frames, 'frame')} captured, ${INTEGER.format(s.kernelDropped)} dropped by the kernel`,
    `${plural(s.segments, 'segment')}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`,
    `${connected}, ${plural(s.freeBlocks, 'port block')} free`,
    ...byReason('frames that were no segments', s.notSegments),
    ...byReason('control connections refused', s.refused),
  ];
}

function byReason(what: string, counts: Readonly<Record<string, number>>): string[] {
  const parts = Object.entries(counts).map(([reason, n]) => `${INTEGER.format(n)} ${reason}`);
  return parts.length === 0 ? [] : [`${what}: ${parts.join(', ')}`];
}

function plural(n: number, noun: string): string {
  return `${INTEGER.format(n)} ${noun}${n === 1 ? '' : 's'}`;
}
