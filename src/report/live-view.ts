/**
 * The whole-screen view of a run (`--ui`): what is copied, what is not and why, how late, and what it costs. Rates are those
 * of the last second, everything else is since the start. Lines that the run has to say stand at the bottom.
 */
import pc from 'picocolors';
import type { RunEnvironment, Screen } from '../core/run-environment.ts';
import { instant, seconds, type Instant } from '../core/time.ts';
import { FigureRates, type Rates } from './figure-rates.ts';
import { wrap } from './format.ts';
import type { Ledger } from './ledger.ts';
import type { RunFacts } from './run-facts.ts';
import { viewSections, type Line, type Section } from './view-sections.ts';

const REFRESH = seconds(1);
/** Lines for what the run has to say, at least, if it has so much. */
const MESSAGES = 4;
const MESSAGE_INDENT = '  ';
const FOOT = 'q or Ctrl-C ends it with the summary; a second time: at once';

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
    const text = wrapped(messages, columns, rows);
    const reserved = text.length === 0 ? 0 : 1 + Math.min(MESSAGES, text.length);
    const room = Math.max(0, rows - 1 - reserved);
    const blocks = fitting(viewSections(ledger, facts, rates, columns), room).map((lines) =>
      lines.map((line) => this.#paint(line, columns)),
    );
    const left = rows - 1 - blocks.reduce((sum, { length }) => sum + length, 0) - 1;
    if (text.length > 0 && left > 0) {
      blocks.push([this.#colors.dim(rule('Messages', columns)), ...lastOf(text, left)]);
    }
    const body = spaced(blocks, rows - 1);
    while (body.length < rows - 1) body.push('');
    this.#screen.show([...body, this.#colors.dim(clipped(FOOT, columns))]);
  }

  #paint({ text, tone }: Line, columns: number): string {
    const shown = clipped(text, columns);
    if (tone === 'title') return this.#colors.bold(shown);
    if (tone === 'rule') return this.#colors.dim(rule(text, columns));
    return tone === 'bad' ? this.#colors.red(shown) : shown;
  }
}

/** As many lines as there is room for: sections but the first lose lines from their ends, the longest first. */
function fitting(sections: readonly Section[], room: number): Line[][] {
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
    return shown.length === 0 || (shown.length === 1 && shown[0]!.tone === 'rule') ? [] : [shown];
  });
}

/** One below the other, with empty lines between where there is room for all of them. */
function spaced(blocks: readonly (readonly string[])[], room: number): string[] {
  const lines = blocks.reduce((sum, { length }) => sum + length, 0);
  const gaps = lines + blocks.length - 1 <= room;
  return blocks.flatMap((block, i) => (i > 0 && gaps ? ['', ...block] : block)).slice(0, Math.max(0, room));
}

/** The last messages, whole, in lines of their own; no more than a screen could take. */
function wrapped(messages: readonly string[], columns: number, rows: number): string[] {
  return messages
    .slice(-rows)
    .flatMap((text) =>
      wrap(text, Math.max(1, columns - MESSAGE_INDENT.length)).map((line, i) =>
        clipped(i === 0 ? line : MESSAGE_INDENT + line, columns),
      ),
    );
}

/** The last lines, from where a message begins if one does. */
function lastOf(text: readonly string[], count: number): readonly string[] {
  const last = text.slice(-count);
  return last.slice(
    Math.max(
      0,
      last.findIndex((line) => !line.startsWith(MESSAGE_INDENT)),
    ),
  );
}

function rule(title: string, columns: number): string {
  return clipped(`── ${title} ${'─'.repeat(Math.max(0, columns - title.length - 4))}`, columns);
}

function clipped(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
