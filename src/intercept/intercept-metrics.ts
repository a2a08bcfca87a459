/** The metrics of intercept, in one table: `docs/metrics.md` is checked against it. */
import type { Metric, MetricDefinition, Sample } from '../core/metric.ts';
import type { InterceptStats } from './intercept-stats.ts';

interface Definition extends MetricDefinition {
  readonly read: (stats: InterceptStats) => readonly Sample[];
}

const FATES = ['forwarded', 'dropped', 'absent', 'copies', 'damaged', 'unrouted'] as const;

export const INTERCEPT_METRICS: readonly Definition[] = [
  single('intercept_frames_total', 'counter', 'Frames captured.', ({ frames }) => frames),
  single(
    'intercept_kernel_dropped_frames_total',
    'counter',
    'Frames that the kernel dropped unseen.',
    (s) => s.kernelDropped,
  ),
  {
    name: 'intercept_frames_unused_total',
    type: 'counter',
    help: 'Frames that were no TCP segment, by why.',
    labels: ['reason'],
    read: ({ notSegments }) => Object.entries(notSegments).map(([reason, value]) => ({ labels: [reason], value })),
  },
  {
    name: 'intercept_segments_total',
    type: 'counter',
    help:
      'Segments by what became of them: forwarded to a tcpcopy; dropped, since it read too slowly; absent, for one that is ' +
      'not connected; copies, seen before on another device; damaged, with a wrong checksum; unrouted, not asked for.',
    labels: ['result'],
    read: (stats) => FATES.map((fate) => ({ labels: [fate], value: stats[fate] })),
  },
  single('intercept_instances', 'gauge', 'tcpcopy processes that are connected.', ({ instances }) => instances),
  single('intercept_connections', 'gauge', 'Their control connections.', ({ connections }) => connections),
  single(
    'intercept_free_port_blocks',
    'gauge',
    'Blocks of 1,024 source ports that nobody leases.',
    (s) => s.freeBlocks,
  ),
  single('process_cpu_seconds_total', 'counter', 'CPU time, user and system.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }),
  single('process_resident_memory_bytes', 'gauge', 'Resident memory.', () => process.memoryUsage.rss()),
];

/** With their values now. */
export function interceptMetrics(stats: InterceptStats): Metric[] {
  return INTERCEPT_METRICS.map(({ read, ...definition }) => ({ ...definition, samples: read(stats) }));
}

function single(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  value: (stats: InterceptStats) => number,
): Definition {
  return { name, type, help, labels: [], read: (stats) => [{ labels: [], value: value(stats) }] };
}
