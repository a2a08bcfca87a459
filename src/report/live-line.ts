/**
 * Figures while a run goes on: one refreshing line each second on a terminal, a plain line now and then elsewhere. Rates
 * are those since the line before.
 */
import { elapsed, instant, seconds, toSeconds, type Duration, type Instant } from '../core/time.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import { MANY_UNDER_WAY } from './figure-rates.ts';
import { formatBytes, formatClock, formatCount, formatShare, formatTime, plural } from './format.ts';
import type { Ledger } from './ledger.ts';
import type { RunFacts } from './run-facts.ts';

const REFRESH = seconds(1);
const LEAST_COLUMNS = 40;
/** For what a terminal shows of Ctrl-C: in a line of its own it would stay. */
const ECHO = '^C'.length;

export class LiveLine {
  readonly #env: Pick<RunEnvironment, 'liveLine' | 'stdout' | 'columns'>;
  readonly #interval: Duration;
  #next: Instant | undefined;
  #lastAt: Duration = seconds(0);
  #lastUnits = 0;

  /** `interval`: between plain lines; 0 for none. */
  constructor(env: Pick<RunEnvironment, 'liveLine' | 'stdout' | 'columns'>, interval: Duration) {
    this.#env = env;
    this.#interval = env.liveLine ? REFRESH : interval;
  }

  /** Whether it is time for the next line. The first is due one interval after the first question. */
  due(now: Instant): boolean {
    if (this.#interval === 0) return false;
    this.#next ??= instant(now + this.#interval);
    return now >= this.#next;
  }

  show(now: Instant, ledger: Ledger, facts: RunFacts): void {
    this.#next = instant(now + this.#interval);
    const pieces = this.#pieces(ledger, facts);
    if (!this.#env.liveLine) return this.#env.stdout(pieces.join('  '));
    this.#env.liveLine(fitting(pieces, Math.max(LEAST_COLUMNS, this.#env.columns ?? 80) - 1 - ECHO));
  }

  /** Most important first: a narrow terminal shows as many as fit. */
  #pieces(ledger: Ledger, facts: RunFacts): string[] {
    const seconds = toSeconds(elapsed(instant(facts.elapsed), instant(this.#lastAt)));
    const rate = seconds > 0 ? (ledger.unitsOpened - this.#lastUnits) / seconds : 0;
    this.#lastAt = facts.elapsed;
    this.#lastUnits = ledger.unitsOpened;

    const delivered = ledger.delivered();
    const lost = ledger.lost();
    const down = facts.intercepts.filter((i) => !i.connected).length;
    const { recording } = facts;
    if (recording?.asCaptured === true) {
      return [
        formatClock(facts.elapsed),
        plural(recording.packets, 'packet'),
        formatBytes(recording.bytes),
        ...kernelDrops(ledger),
      ];
    }
    const pieces = [
      formatClock(facts.elapsed),
      `${rate < 10 ? rate.toFixed(1) : formatCount(rate)} requests/s`,
      `${formatShare(delivered, delivered + lost)} ${recording === undefined ? 'copied' : 'recorded'}`,
    ];
    if (down > 0) pieces.push(down === facts.intercepts.length ? 'NO INTERCEPT' : `${plural(down, 'intercept')} down`);
    const { governor } = facts;
    if (governor?.reason !== undefined) {
      pieces.push(`SHEDDING ${formatShare(1 - governor.share, 1)} (${governor.reason})`);
    }
    pieces.push(...kernelDrops(ledger), `${formatCount(lost)} lost`);
    const underWay = ledger.underWay();
    if (underWay > 0 && underWay > MANY_UNDER_WAY * rate) pieces.push(`${formatCount(underWay)} under way`);
    pieces.push(plural(facts.sessionsOpen, 'session'), `${formatCount(delivered)} sent`);
    if (facts.lag) pieces.push(`delay ${formatTime(facts.lag.p50)}`);
    return pieces;
  }
}

function kernelDrops({ kernelDropped }: Ledger): string[] {
  return kernelDropped > 0 ? [`${plural(kernelDropped, 'frame')} dropped by the kernel`] : [];
}

function fitting(pieces: readonly string[], width: number): string {
  let line = pieces[0]!;
  for (const piece of pieces.slice(1)) {
    if (line.length + 2 + piece.length > width) break;
    line += `  ${piece}`;
  }
  return line;
}
