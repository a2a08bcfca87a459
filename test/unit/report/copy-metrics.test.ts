import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { micros, millis } from '../../../src/core/time.ts';
import { INTERCEPT_METRICS } from '../../../src/intercept/intercept-metrics.ts';
import { COPY_METRICS, copyMetrics } from '../../../src/report/copy-metrics.ts';
import { metricsPage } from '../../../src/report/metrics-page.ts';
import { FACTS, ledgerOf } from './ledger-fixture.ts';

const ALL = [...COPY_METRICS, ...INTERCEPT_METRICS];

describe('the page', () => {
  const ledger = ledgerOf({ answered: 90, shed: 7, filtered: 3 }, { replayed: 5 });
  ledger.shed.add(0, 7);
  const plugin = {
    name: 'sa"mple',
    calls: 100,
    drops: { 'not of the\nsample': 4 },
    failures: 2,
    disabled: false,
    mean: micros(2.5),
    meanWait: undefined,
    heldUp: { times: 1, longest: millis(300) },
    figures: [{ name: 'kept', value: 12, unit: undefined }],
  };
  const facts = { ...FACTS, plugins: [plugin], responseTimes: { target: FACTS.lag, online: undefined } };

  it('has every figure, with its labels, in the text format', async () => {
    const lines = (await metricsPage(copyMetrics(ledger, facts))).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        '# HELP tcpcopy_requests_total Requests whose fate is known, by what it was (docs/ledger.md).',
        '# TYPE tcpcopy_requests_total counter',
        'tcpcopy_requests_total{result="answered"} 90',
        'tcpcopy_requests_total{result="refused"} 0',
        'tcpcopy_requests_shed_total{reason="cpu"} 7',
        'tcpcopy_connections_total{result="replayed"} 5',
        'tcpcopy_sessions_open 3',
        'tcpcopy_delay_seconds{percentile="p99"} 0.0021',
        'tcpcopy_response_time_seconds{server="target",percentile="p50"} 0.0004',
        'tcpcopy_intercept_up{intercept="192.0.2.20:36524"} 1',
        'tcpcopy_governor_share 1',
        'tcpcopy_plugin_call_seconds{plugin="sa\\"mple"} 0.0000025',
        'tcpcopy_plugin_drops_total{plugin="sa\\"mple",reason="not of the\\nsample"} 4',
        'tcpcopy_plugin_figure{plugin="sa\\"mple",figure="kept",unit=""} 12',
        'process_cpu_seconds_total 1.5',
        'tcpcopy_processor_wait_seconds_total 0.25',
        'process_resident_memory_bytes 82000000',
      ]),
    );
    const samples = lines.filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of samples) expect(line).toMatch(/^[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? -?[\d.e+-]+$/);
  });

  it('leaves out what cannot be told', async () => {
    const page = await metricsPage(
      copyMetrics(ledger, { ...facts, sent: undefined, governor: undefined, lag: undefined }),
    );
    expect(page).not.toMatch(/tcpcopy_(sent_packets_total|governor_share|delay_seconds)/);
    expect(page).not.toMatch(/NaN|undefined/);
  });

  it('never shows a figure that falls as one that only grows', () => {
    for (const { name, type } of ALL) {
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
    }
  });
});

it('every metric is described in docs/metrics.md as it is in the page', () => {
  const documentation = readFileSync('docs/metrics.md', 'utf8');
  const rows = documentation.split('\n').filter((line) => /^\| `[a-z_]+` \| (counter|gauge) /.test(line));
  const wanted = ALL.map(({ name, type, labels, help }) => {
    const of = labels.length === 0 ? '' : ` ${labels.map((label) => `\`${label}\``).join(', ')}`;
    return `| \`${name}\` | ${type} |${of} | ${help} |`;
  });
  expect(rows).toEqual(wanted);
});

describe('the Grafana dashboard', () => {
  interface Panel {
    readonly id: number;
    readonly title: string;
    readonly type: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string; readonly refId: string }[];
  }
  const dashboard = JSON.parse(readFileSync('examples/grafana/tcpcopy.json', 'utf8')) as {
    readonly panels: readonly Panel[];
    readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
  };

  it('asks only for metrics that exist, by labels that they have', () => {
    const known = new Map(ALL.map((metric) => [metric.name, new Set([...metric.labels, 'instance', 'job'])]));
    let asked = 0;
    for (const { expr, legendFormat } of dashboard.panels.flatMap(({ targets }) => targets)) {
      const labels = new Set<string>();
      for (const [, name, matchers] of expr.matchAll(/\b((?:tcpcopy|intercept|process)_[a-z_]+)(\{[^}]*\})?/g)) {
        expect([...known.keys()], expr).toContain(name);
        asked++;
        for (const label of known.get(name!)!) labels.add(label);
        for (const [, label] of (matchers ?? '').matchAll(/([a-z_]+)\s*[=!]~?"/g))
          expect([...known.get(name!)!]).toContain(label);
      }
      for (const [, grouped] of expr.matchAll(/(?:by|on) \(([^)]*)\)/g)) {
        for (const label of grouped!.split(/,\s*/)) expect([...labels], expr).toContain(label);
      }
      for (const [, label] of legendFormat.matchAll(/\{\{([a-z_]+)\}\}/g)) expect([...labels], expr).toContain(label);
    }
    expect(asked).toBeGreaterThan(20);
    for (const { query } of dashboard.templating.list) {
      for (const [name] of JSON.stringify(query).matchAll(/\b(tcpcopy|intercept)_[a-z_]+/g))
        expect([...known.keys()]).toContain(name);
    }
  });

  it('has panels that do not overlap, and queries that can be told apart', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    panels.forEach(({ gridPos: a, targets, title }, i) => {
      expect(a.x + a.w, title).toBeLessThanOrEqual(24);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      for (const { gridPos: b, title: other } of panels.slice(i + 1)) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(apart, `${title} / ${other}`).toBe(true);
      }
    });
  });

  it('has balanced brackets in its queries', () => {
    for (const { expr } of dashboard.panels.flatMap(({ targets }) => targets)) {
      for (const [open, close] of ['()', '{}', '[]']) {
        expect(expr.split(open!).length, expr).toBe(expr.split(close!).length);
      }
    }
  });
});
