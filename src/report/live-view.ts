/**
 * The whole-screen view of a run (`--ui`): what is copied, what is not and why, how late, and what it costs. Rates are those
 * of the last second, everything else is since the start. Lines that the run has to say stand at the bottom.
 */
import pc from 'picocolors';
import type { RunEnvironment, Screen } from '../core/run-environment.ts';
import { instant, seconds, type Instant } from '../core/time.ts';
import { FigureRates, type Rates } from './figure-rates.ts';
import type { Ledger } from './ledger.ts';
import type { RunFacts } from './run-facts.ts';
import { viewSections, type Line, type Section } from './view-sections.ts';

const REFRESH = seconds(1);
/** Lines for what the run has to say, at least, if it has so much. */
const MESSAGES = 4;
const FOOT = 'q or Ctrl-C: finish what is under way, and the summary; again: at once';

export class LiveView {
  readonly #screen: Screen;
  readonly #colors: ReturnType<typeof pc.createColors>;
  readonly #rates = new FigureRates();
  #next: Instant | undefined;
  #last: { readonly ledger: Ledger; readonly facts: RunFacts; readonly rates: Rates } | undefined;

  constructor(screen: Screen, { colors }: Pick<RunEnvironment, 'colors'>) {
    this.#screen = screen;
    this.#colors = pc.createColors(colors ?? false);
    screen.onResize(() => this.#draw());
  }

  due(now: Instant): boolean {
    return this.#next === undefined || now >= this.#next;
  }

  show(now: Instant, ledger: Ledger, facts: RunFacts): void {
    this.#next = instant(now + REFRESH);
    this.#last = { ledger, facts, rates: this.#rates.next(ledger, facts) };
    this.#draw();
  }

  /** The run is over: what comes now is printed as ever. */
  over(): void {
    this.#screen.giveBack();
  }

  #draw(): void {
    if (this.#last === undefined) return;
    const { columns, rows, messages } = this.#screen;
    const { ledger, facts, rates } = this.#last;
    const [head, ...sections] = viewSections(ledger, facts, rates, columns);
    const reserved = messages.length === 0 ? 0 : 1 + Math.min(MESSAGES, messages.length);
    const room = Math.max(0, rows - 1 - reserved);
    const lines = fitting([head!, ...sections], room).map((line) => this.#paint(line, columns));
    const left = Math.max(0, rows - 1 - lines.length - 1);
    const said = left <= 0 ? [] : messages.slice(-left).map((text) => clipped(text, columns));
    const title = said.length === 0 ? [] : [this.#colors.dim(rule('Messages', columns))];
    const body = [...lines, ...title, ...said].slice(0, rows - 1);
    while (body.length < rows - 1) body.push('');
    this.#screen.show([...body, this.#colors.dim(clipped(FOOT, columns))]);
  }

  #paint({ text, tone }: Line, columns: number): string {
    const shown = clipped(text, columns);
    if (tone === 'title') return this.#colors.bold(shown);
    if (tone === 'rule') return this.#colors.dim(rule(text, columns));
    return tone === 'bad' ? this.#colors.red(shown) : tone === 'good' ? this.#colors.green(shown) : shown;
  }
}

/** As many lines as there is room for: sections lose lines from their ends, the longest first. */
function fitting(sections: readonly Section[], room: number): Line[] {
  const kept = sections.map(({ lines }) => lines.length);
  const total = (): number => kept.reduce((a, b) => a + b, 0);
  while (total() > room && total() > 0) {
    const longest = kept.indexOf(Math.max(...kept.slice(1), 0), 1);
    if (longest < 0 || kept[longest]! === 0) kept[0]!--;
    else kept[longest]!--;
  }
  return sections.flatMap(({ lines }, i) => {
    const shown = lines.slice(0, kept[i]);
    // A heading alone says nothing.
    if (shown.length === 1 && shown[0]!.tone === 'rule') return [];
    return shown;
  });
}

function rule(title: string, columns: number): string {
  return clipped(`── ${title} ${'─'.repeat(Math.max(0, columns - title.length - 4))}`, columns);
}

function clipped(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
