/** Metrics as the page that Prometheus reads: made anew each time it is asked for. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Metric } from '../core/metric.ts';

/** Text exposition format 0.0.4. */
export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

export function metricsPage(metrics: readonly Metric[]): Promise<string> {
  const registry = new Registry();
  for (const { name, type, help, labels, samples } of metrics) {
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    const values = samples.map(({ labels: of, value }) => ({
      labels: Object.fromEntries(labels.map((label, i) => [label, of[i] ?? ''])),
      value,
    }));
    if (type === 'counter') {
      const counter = new Counter(options);
      // One without labels would show a zero of its own.
      if (labels.length === 0) counter.reset();
      for (const { labels: of, value } of values) counter.inc(of, value);
      if (values.length === 0) registry.removeSingleMetric(name);
    } else {
      const gauge = new Gauge(options);
      for (const { labels: of, value } of values) gauge.set(of, value);
      if (values.length === 0) registry.removeSingleMetric(name);
    }
  }
  return registry.metrics();
}
