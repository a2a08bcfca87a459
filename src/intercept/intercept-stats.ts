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

/** Lines for a person. */
export function describeStats(s: InterceptStats): string[] {
  const n = (value: number, noun: string) => `${value} ${noun}${value === 1 ? '' : 's'}`;
  const lines = [
    `${n(s.frames, 'frame')} captured, ${s.kernelDropped} dropped by the kernel; ${n(s.segments, 'segment')}: ` +
      `${s.forwarded} forwarded, ${s.dropped} dropped for slow readers, ${s.absent} for nobody connected, ` +
      `${s.copies} copies, ${s.damaged} damaged, ${s.unrouted} not asked for`,
    `${n(s.instances, 'tcpcopy instance')}, ${n(s.connections, 'connection')}, ${n(s.freeBlocks, 'free port block')}`,
  ];
  const refused = Object.entries(s.refused);
  if (refused.length > 0)
    lines.push(`refused connections: ${refused.map(([reason, count]) => `${reason} ${count}`).join(', ')}`);
  const others = Object.entries(s.notSegments);
  if (others.length > 0)
    lines.push(`not segments: ${others.map(([reason, count]) => `${reason} ${count}`).join(', ')}`);
  return lines;
}
