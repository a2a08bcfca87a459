/**
 * The metrics of tcpcopy, in one table: `docs/metrics.md` is checked against it. All of them are the ledger's and the run's
 * own figures, read when they are asked for; with workers they are those of all of them.
 */
import { DROP_REASONS } from '../core/drop-reason.ts';
import type { Metric, MetricDefinition, Sample } from '../core/metric.ts';
import { toSeconds } from '../core/time.ts';
import { CONNECTION_BUCKETS, SHED_REASONS, UNIT_BUCKETS, UNREAD_REASONS, type Ledger } from './ledger.ts';
import type { Quantiles, RunFacts } from './run-facts.ts';

interface Definition extends MetricDefinition {
  readonly read: (ledger: Ledger, facts: RunFacts) => readonly Sample[];
}

export const COPY_METRICS: readonly Definition[] = [
  gauge('tcpcopy_uptime_seconds', 'Since capturing began.', (_, facts) => toSeconds(facts.elapsed)),
  counter('tcpcopy_requests_captured_total', 'Requests captured, each copy (-n) counted.', (l) => l.unitsOpened),
  labelled(
    'tcpcopy_requests_total',
    'Requests whose fate is known, by what it was (docs/ledger.md).',
    ['result'],
    (l) => byName(UNIT_BUCKETS, l.units.values),
  ),
  labelled(
    'tcpcopy_requests_shed_total',
    'Requests left out to spare this host or the target, by why.',
    ['reason'],
    (l) => byName(SHED_REASONS, l.shed.values),
  ),
  counter('tcpcopy_connections_captured_total', 'Connections captured.', (l) => l.connectionsOpened),
  labelled('tcpcopy_connections_total', 'Connections whose fate is known, by what it was.', ['result'], (l) =>
    byName(CONNECTION_BUCKETS, l.connections.values),
  ),
  gauge('tcpcopy_connections_open', 'Connections not settled yet.', (_, facts) => facts.connectionsOpen),
  counter('tcpcopy_sessions_total', 'Sessions opened to the target.', (l) => l.sessionsOpened),
  gauge('tcpcopy_sessions_open', 'Sessions open now.', (_, facts) => facts.sessionsOpen),
  counter('tcpcopy_frames_total', 'Frames captured.', (l) => l.framesSeen),
  labelled('tcpcopy_frames_unused_total', 'Frames that were not used, by why.', ['reason'], (l) =>
    byName(DROP_REASONS, l.frames.values).slice(1),
  ),
  counter('tcpcopy_kernel_dropped_frames_total', 'Frames that the kernel dropped unseen.', (l) => l.kernelDropped),
  labelled(
    'tcpcopy_client_bytes_total',
    'Client data: captured in order, delivered to the target, missing from the capture.',
    ['state'],
    (l) => [
      { labels: ['captured'], value: l.bytesCaptured },
      { labels: ['delivered'], value: l.bytesDelivered },
      { labels: ['missing'], value: l.bytesMissing },
    ],
  ),
  counter('tcpcopy_responses_total', 'Responses of the target that began.', (l) => l.responses),
  counter(
    'tcpcopy_responses_read_total',
    'Responses of the target that were read, where plugins ask for it.',
    (l) => l.responsesRead,
  ),
  counter(
    'tcpcopy_responses_failed_total',
    'Those of them that say the server failed (HTTP 5xx).',
    (l) => l.responsesFailed,
  ),
  labelled(
    'tcpcopy_sessions_unread_total',
    'Sessions whose responses could not be read to their end, by why.',
    ['reason'],
    (l) => byName(UNREAD_REASONS, l.sessionsUnread.values),
  ),
  labelled(
    'tcpcopy_response_time_seconds',
    'Time to the whole response, where responses are read: of the target, and of the online server.',
    ['server', 'percentile'],
    (_, { responseTimes }) => [
      ...quantiles(responseTimes.target).map(({ labels, value }) => ({ labels: ['target', ...labels], value })),
      ...quantiles(responseTimes.online).map(({ labels, value }) => ({ labels: ['online', ...labels], value })),
    ],
    'gauge',
  ),
  labelled(
    'tcpcopy_delay_seconds',
    "From a request's last captured frame to its being sent, since the start.",
    ['percentile'],
    (_, { lag }) => quantiles(lag),
    'gauge',
  ),
  counter(
    'tcpcopy_sent_packets_total',
    'Packets given to the kernel to send (target raw).',
    (_, facts) => facts.sent?.packets,
  ),
  counter('tcpcopy_sent_bytes_total', 'Their bytes.', (_, facts) => facts.sent?.bytes),
  labelled('tcpcopy_send_failures_total', 'Packets that the kernel refused, by errno.', ['error'], (_, facts) =>
    Object.entries(facts.sent?.failed ?? {}).map(([error, value]) => ({ labels: [error], value })),
  ),
  counter('tcpcopy_retransmissions_total', 'Segments sent again.', (l) => l.retransmissions),
  labelled(
    'tcpcopy_intercept_up',
    'Whether an intercept is connected: 1 or 0.',
    ['intercept'],
    (_, facts) => facts.intercepts.map(({ address, connected }) => ({ labels: [address], value: connected ? 1 : 0 })),
    'gauge',
  ),
  gauge(
    'tcpcopy_governor_share',
    'Share of the connections that is copied now, 0 to 1.',
    (_, facts) => facts.governor?.share,
  ),
  counter(
    'tcpcopy_governor_shedding_seconds_total',
    'For how long it was less than 1.',
    (_, facts) => facts.governor && toSeconds(facts.governor.time),
  ),
  labelled('tcpcopy_plugin_calls_total', 'Calls of a plugin.', ['plugin'], (_, facts) =>
    perPlugin(facts, ({ calls }) => calls),
  ),
  labelled(
    'tcpcopy_plugin_call_seconds',
    'Mean time of a call, from a sample.',
    ['plugin'],
    (_, facts) => perPlugin(facts, ({ mean }) => mean && toSeconds(mean)),
    'gauge',
  ),
  labelled(
    'tcpcopy_plugin_failures_total',
    'How often a plugin threw, answered nonsense or took too long.',
    ['plugin'],
    (_, facts) => perPlugin(facts, ({ failures }) => failures),
  ),
  labelled(
    'tcpcopy_plugin_drops_total',
    'Messages and connections that a plugin dropped, by its reasons.',
    ['plugin', 'reason'],
    (_, facts) =>
      facts.plugins.flatMap(({ name, drops }) =>
        Object.entries(drops).map(([reason, value]) => ({ labels: [name, reason], value })),
      ),
  ),
  labelled(
    'tcpcopy_plugin_held_up_total',
    'How often a plugin was seen to hold everything up.',
    ['plugin'],
    (_, facts) => perPlugin(facts, ({ heldUp }) => heldUp.times),
  ),
  labelled(
    'tcpcopy_plugin_figure',
    "A plugin's own figures.",
    ['plugin', 'figure', 'unit'],
    (_, facts) =>
      facts.plugins.flatMap(({ name, figures }) =>
        figures.map((f) => ({ labels: [name, f.name, f.unit ?? ''], value: f.value })),
      ),
    'gauge',
  ),
  counter('process_cpu_seconds_total', 'CPU time, user and system, of all processes of the run.', (_, facts) =>
    toSeconds(facts.cpu),
  ),
  counter(
    'tcpcopy_processor_wait_seconds_total',
    'Time of waiting for a processor of this host, of the process that waited most (Linux).',
    (_, facts) => (facts.cpuWait === undefined ? undefined : toSeconds(facts.cpuWait)),
  ),
  gauge('process_resident_memory_bytes', 'Resident memory of all processes of the run.', (_, facts) => facts.rss),
];

/** With their values now. */
export function copyMetrics(ledger: Ledger, facts: RunFacts): Metric[] {
  return COPY_METRICS.map(({ read, ...definition }) => ({ ...definition, samples: read(ledger, facts) }));
}

type Value = (ledger: Ledger, facts: RunFacts) => number | undefined;

function counter(name: string, help: string, value: Value): Definition {
  return { name, type: 'counter', help, labels: [], read: single(value) };
}

function gauge(name: string, help: string, value: Value): Definition {
  return { name, type: 'gauge', help, labels: [], read: single(value) };
}

/** What cannot be told has no sample. */
function single(value: Value): Definition['read'] {
  return (ledger, facts) => {
    const n = value(ledger, facts);
    return n === undefined ? [] : [{ labels: [], value: n }];
  };
}

function labelled(
  name: string,
  help: string,
  labels: readonly string[],
  read: Definition['read'],
  type: 'counter' | 'gauge' = 'counter',
): Definition {
  return { name, type, help, labels, read };
}

function byName(names: readonly string[], values: Float64Array): Sample[] {
  return names.map((name, i) => ({ labels: [name], value: values[i]! }));
}

/** As gauges: a label `quantile` would be that of a summary, which has a sum and a count. */
function quantiles(times: Quantiles | undefined): Sample[] {
  if (times === undefined) return [];
  return [
    { labels: ['p50'], value: toSeconds(times.p50) },
    { labels: ['p99'], value: toSeconds(times.p99) },
  ];
}

function perPlugin(facts: RunFacts, value: (plugin: RunFacts['plugins'][number]) => number | undefined): Sample[] {
  return facts.plugins.flatMap((plugin) => {
    const n = value(plugin);
    return n === undefined ? [] : [{ labels: [plugin.name], value: n }];
  });
}
