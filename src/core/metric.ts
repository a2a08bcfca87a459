/** Figures of a running program for machines: what each means, and its value when asked. */
export interface MetricDefinition {
  /** As Prometheus wants it: `tcpcopy_requests_total`, base units, `_total` for what only grows. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** Names of labels; all samples have all of them. */
  readonly labels: readonly string[];
}

export interface Sample {
  /** In the order of the metric's labels. */
  readonly labels: readonly string[];
  readonly value: number;
}

export interface Metric extends MetricDefinition {
  readonly samples: readonly Sample[];
}

/** What a running program tells of itself when asked. Nothing is gathered for it until then. */
export interface Status {
  /** Figures as plain data, for JSON. */
  readonly figures: () => object;
  readonly metrics: () => readonly Metric[];
  /** Why it does not do its work just now, one clause; `undefined`: it does. */
  readonly trouble: () => string | undefined;
}
