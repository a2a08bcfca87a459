import type pc from 'picocolors';
import { DROP_REASONS } from '../core/drop-reason.ts';
import type { BucketText } from './bucket-texts.ts';
import { formatCount, formatShare, wrap } from './format.ts';
import { CONNECTION_BUCKETS, SHED_REASONS, UNIT_BUCKETS, type Ledger } from './ledger.ts';

const LABEL = 14;
const SHARE = 9;
const INDENT = 2;
const LEAST_COLUMNS = 64;

export interface TableColumns {
  readonly label: number;
  readonly number: number;
}

/** Of all tables together, so that they stand in line, and as narrow as they can be, so that meanings have room. */
export function tableColumns(ledger: Ledger): TableColumns {
  const tables = [
    { names: UNIT_BUCKETS, counters: ledger.units },
    { names: SHED_REASONS, counters: ledger.shed },
    { names: CONNECTION_BUCKETS, counters: ledger.connections },
    { names: DROP_REASONS, counters: ledger.frames },
  ];
  const rows = tables.flatMap(({ names, counters: { values } }) =>
    names.map((name, i) => ({ name, n: values[i]! })).filter(({ n }) => n !== 0),
  );
  return {
    label: Math.max(LABEL, ...rows.map(({ name }) => name.length + 2)),
    number: Math.max(0, ...rows.map(({ n }) => formatCount(n).length)),
  };
}

/**
 * Two columns of facts and four of tables, within a width. Red and magenta can be read on dark and on light terminals; yellow
 * and green cannot on the latter.
 */
export class Page {
  readonly lines: string[] = [];
  readonly #width: number;
  readonly #table: TableColumns;
  /** One piece of advice is given once. */
  readonly #hints = new Set<string>();
  readonly #colors: ReturnType<typeof pc.createColors>;

  constructor(width: number, table: TableColumns, colors: ReturnType<typeof pc.createColors>) {
    this.#width = Math.max(LEAST_COLUMNS, width);
    this.#table = table;
    this.#colors = colors;
  }

  title(text: string): void {
    this.lines.push('', ...wrap(text, this.#width).map((line) => this.#colors.bold(line)), '');
  }

  heading(text: string): void {
    this.lines.push('', ' '.repeat(INDENT) + this.#colors.bold(text));
  }

  fact(label: string, text: string, tone: 'plain' | 'bad' = 'plain'): void {
    const start = ' '.repeat(INDENT) + label.padEnd(LABEL);
    this.#hanging(start, text, tone === 'bad' ? this.#colors.red : String);
  }

  /** Rows of what is not zero, with their meanings; nothing when all is. */
  table<Name extends string>(
    title: string,
    names: readonly Name[],
    values: Float64Array,
    texts: Readonly<Record<Name, BucketText>>,
  ): void {
    const total = values.reduce((a, b) => a + b, 0);
    if (total === 0) return;
    this.heading(title);
    const { label, number } = this.#table;
    names.forEach((name, i) => {
      const n = values[i]!;
      if (n === 0) return;
      const { meaning, hint } = texts[name];
      const start =
        ' '.repeat(INDENT) +
        name.padEnd(label) +
        formatCount(n).padStart(number) +
        formatShare(n, total).padStart(SHARE) +
        '  ';
      this.#hanging(start, meaning);
      if (hint !== undefined && !this.#hints.has(hint)) {
        this.#hints.add(hint);
        this.#hanging(' '.repeat(start.length), `→ ${hint}`, this.#colors.magenta);
      }
    });
  }

  #hanging(start: string, text: string, paint: (text: string) => string = String): void {
    const width = Math.max(20, this.#width - start.length);
    wrap(text, width).forEach((line, i) => this.lines.push((i === 0 ? start : ' '.repeat(start.length)) + paint(line)));
  }
}
