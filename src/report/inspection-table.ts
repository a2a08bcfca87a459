/** The connections of a recording as a table, printed in blocks so that a long one needs no memory. */
import type { Duration } from '../core/time.ts';
import { formatBytes, formatCount, formatTime, plural } from './format.ts';
import { BELOW } from './listing-line.ts';

export interface InspectionStreamRow {
  readonly bytes: number;
  readonly seen: number;
  readonly gaps: readonly (readonly [offset: number, length: number, kind: string])[];
}

export interface InspectionRow {
  readonly client: string;
  readonly server: string;
  readonly openedBy: 'syn' | 'midstream';
  readonly end: string;
  readonly duration: Duration;
  readonly c2s: InspectionStreamRow;
  readonly s2c: InspectionStreamRow;
}

export interface InspectionTotals {
  readonly frames: number;
  readonly segments: number;
  readonly connections: number;
  readonly drops: Readonly<Record<string, number>>;
  readonly unreadable: readonly { readonly bytes: number; readonly reason: string }[];
}

/** Rows whose common width is worth waiting for. */
const BLOCK = 200;
const HEADINGS = ['client', 'server', 'to server', 'to client', 'lasted', 'opened', 'ended'];
const MISSING = 'missing';
/** Columns of figures. */
const RIGHT_ALIGNED = new Set([2, 3, 4]);

const ENDS: Readonly<Record<string, string>> = {
  fin: 'closed',
  reset: 'reset',
  'input-ended': 'still open',
  replaced: 'ports reused',
  evicted: 'crowded out',
  idle: 'idle',
};

export class InspectionTable {
  readonly #print: (line: string) => void;
  readonly #width: number;
  #rows: { readonly cells: readonly string[]; readonly missing: string }[] = [];
  #widths = HEADINGS.map((heading) => heading.length);
  #headed = false;

  /** `width`: of the terminal, if it is one: what is missing stands below a row that it would make too long. */
  constructor(print: (line: string) => void, width = Infinity) {
    this.#print = print;
    this.#width = width;
  }

  add(row: InspectionRow): void {
    const cells = [
      row.client,
      row.server,
      formatCount(row.c2s.seen),
      formatCount(row.s2c.seen),
      formatTime(row.duration),
      row.openedBy === 'syn' ? 'SYN' : 'before',
      ENDS[row.end] ?? row.end,
    ];
    const parts = [missing('to server', row.c2s), missing('to client', row.s2c)];
    this.#rows.push({ cells, missing: parts.filter((text) => text !== '').join('; ') });
    if (this.#rows.length === BLOCK) this.flush();
  }

  flush(): void {
    for (const { cells } of this.#rows)
      this.#widths = this.#widths.map((width, i) => Math.max(width, cells[i]!.length));
    if (!this.#headed && this.#rows.length > 0) {
      const heading = this.#line(HEADINGS);
      const whole = `${heading}  ${MISSING}`;
      this.#print(whole.length <= this.#width ? whole : heading.trimEnd());
      this.#headed = true;
    }
    for (const row of this.#rows) this.#printRow(row.cells, row.missing);
    this.#rows = [];
  }

  #printRow(cells: readonly string[], missing: string): void {
    const line = this.#line(cells);
    const whole = missing === '' ? line.trimEnd() : `${line}  ${missing}`;
    if (missing === '' || whole.length <= this.#width) return this.#print(whole);
    this.#print(line.trimEnd());
    this.#print(`${BELOW}${MISSING}: ${missing}`);
  }

  #line(cells: readonly string[]): string {
    return cells
      .map((cell, i) => (RIGHT_ALIGNED.has(i) ? cell.padStart(this.#widths[i]!) : cell.padEnd(this.#widths[i]!)))
      .join('  ');
  }
}

function missing(way: string, { gaps }: InspectionStreamRow): string {
  if (gaps.length === 0) return '';
  const bytes = gaps.reduce((sum, [, length]) => sum + length, 0);
  return `${formatBytes(bytes)} ${way} in ${plural(gaps.length, 'gap')}`;
}

/** The line under the table. */
export function inspectionTotals(totals: InspectionTotals): string {
  const drops = Object.entries(totals.drops)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, n]) => `${formatCount(n)} ${reason}`);
  const dropped = drops.length === 0 ? 'nothing else' : drops.join(', ');
  return (
    `${plural(totals.connections, 'connection')} in ${plural(totals.frames, 'frame')}: ` +
    `${plural(totals.segments, 'TCP segment')}, ${dropped}`
  );
}

/** What of a recording could not be read, as one clause; empty when all could. */
export function unreadablePart({ unreadable, frames }: Pick<InspectionTotals, 'unreadable' | 'frames'>): string {
  if (unreadable.length === 0) return '';
  const parts = unreadable.map(({ bytes, reason }) => (bytes > 0 ? `${formatBytes(bytes)}: ${reason}` : reason));
  return `not readable: ${parts.join('; ')}; the ${plural(frames, 'sound frame')} read`;
}
