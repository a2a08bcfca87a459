import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Screen } from '../../../src/core/run-environment.ts';
import { instant, micros, millis, seconds } from '../../../src/core/time.ts';
import type { Ledger } from '../../../src/report/ledger.ts';
import { LiveView } from '../../../src/report/live-view.ts';
import type { RunFacts } from '../../../src/report/run-facts.ts';
import { FACTS, ledgerOf } from './ledger-fixture.ts';

class Paper implements Screen {
  columns = 100;
  rows = 30;
  messages: string[] = [];
  page: readonly string[] = [];
  redraw: () => void = () => undefined;
  back = 0;
  onResize(redraw: () => void): void {
    this.redraw = redraw;
  }
  show(lines: readonly string[]): void {
    this.page = lines;
  }
  giveBack(): void {
    this.back++;
  }
  get text(): string {
    return this.page.join('\n');
  }
}

const PLUGIN: RunFacts['plugins'][number] = {
  name: 'http-host-rewrite',
  calls: 1_000,
  drops: { unwanted: 4 },
  failures: 0,
  disabled: false,
  mean: micros(2.5),
  meanWait: undefined,
  heldUp: { times: 0, longest: micros(0) },
  figures: [],
};

function setUp(): { paper: Paper; view: LiveView; look: (ledger: Ledger, facts?: Partial<RunFacts>) => string } {
  const paper = new Paper();
  const view = new LiveView(paper, { colors: false });
  const look = (ledger: Ledger, facts: Partial<RunFacts> = {}): string => {
    view.show(instant(0), ledger, { ...FACTS, ...facts });
    return paper.text;
  };
  return { paper, view, look };
}

describe('the page', () => {
  it('shows rates of the last second, and sums since the start', () => {
    const { look } = setUp();
    const ledger = ledgerOf({ answered: 3_000, reset: 1_000 });
    look(ledger, { elapsed: seconds(10), cpu: seconds(1), plugins: [PLUGIN] });
    ledger.unitsOpened += 2_000;
    ledger.settleUnit('answered', 1_900);
    ledger.settleUnit('shed', 100);
    const text = look(ledger, {
      elapsed: seconds(11),
      cpu: seconds(1.25),
      plugins: [{ ...PLUGIN, calls: 3_000 }],
      responseTimes: { target: { p50: millis(2), p99: millis(9) }, online: { p50: millis(1), p99: millis(5) } },
      governor: { share: 0.1, reason: 'target-slow', reasons: ['target-slow'], spells: 1, time: seconds(1) },
    });
    expect(text).toMatch(/^tcpcopy {2}80 → 192\.0\.2\.10:8080 +00:00:11$/m);
    expect(text).toMatch(/^Requests +2,000\/s {2}▂█$/m);
    expect(text).toMatch(/^Copied +95\.00 % now, 81\.67 % since the start: 4,900 requests, all answered$/m);
    expect(text).toMatch(/^Lost +100\/s now, 1,100 requests since the start$/m);
    expect(text).toMatch(/^SHEDDING +90\.00 % left out \(target-slow\): the target was more than ten seconds behind$/m);
    expect(text).toMatch(/^Under way +nothing$/m);
    expect(text).toMatch(/^Response +target 2\.0 ms \(p99 9\.0 ms\); online 1\.0 ms \(p99 5\.0 ms\)$/m);
    expect(text).toMatch(/^Cost +25 % of a processor/m);
    expect(text).toMatch(/^shed +100 +100\/s/m);
    expect(text).toMatch(/^reset +1,000 +0\/s/m);
    expect(text).toMatch(/^http-host-rewrite +2,000\/s +3 µs each {2}0\.5 % of a processor, 4 dropped$/m);
    expect(text.indexOf('shed  '), 'what goes wrong now stands first').toBeLessThan(text.indexOf('reset  '));
  });

  it('shows what waits for the target, in red where it is much', () => {
    const { paper, view } = setUp();
    const ledger = ledgerOf({ answered: 3_000 });
    view.show(instant(0), ledger, { ...FACTS, elapsed: seconds(10) });
    ledger.unitsOpened += 200;
    ledger.settleUnit('answered', 50);
    view.show(instant(0), ledger, { ...FACTS, elapsed: seconds(11) });
    expect(paper.text).toMatch(/^Under way +150 requests$/m);
    ledger.unitsOpened += 500;
    view.show(instant(0), ledger, { ...FACTS, elapsed: seconds(12) });
    expect(paper.text).toMatch(/^Under way +650 requests$/m);
    ledger.unitsOpened += 100;
    view.show(instant(0), ledger, { ...FACTS, elapsed: seconds(13) });
    expect(paper.text).toMatch(/^Under way +750 requests, 7\.5 s of traffic$/m);
  });

  it('says since when an intercept is away', () => {
    const { look } = setUp();
    const address = '192.0.2.20:36524';
    const [first, now] = [
      { from: seconds(3), to: seconds(4) },
      { from: seconds(22), to: undefined },
    ];
    const shown = (connected: boolean, outages: RunFacts['intercepts'][number]['outages']): string =>
      look(ledgerOf({}), { intercepts: [{ address, connected, outages }] });
    expect(shown(false, [now])).toMatch(/^Intercept +192\.0\.2\.20:36524: AWAY since 00:00:22$/m);
    expect(shown(false, [first, now])).toMatch(/AWAY since 00:00:22, was away 1 time before$/m);
    expect(shown(true, [first])).toMatch(/: connected, was away 1 time$/m);
  });

  it('breaks the reason why connections are left out into lines', () => {
    const { paper, look } = setUp();
    paper.columns = 80;
    const text = look(ledgerOf({ shed: 1 }), {
      governor: { share: 0.1, reason: 'cpu', reasons: ['cpu'], spells: 1, time: seconds(1) },
    });
    expect(text).toMatch(
      /^SHEDDING +90\.00 % left out \(cpu\): tcpcopy used more CPU time than --max-cpu\n {12}allows$/m,
    );
  });

  it('has what the run has to say at its end', () => {
    const { paper, look } = setUp();
    paper.messages = Array.from({ length: 50 }, (_, i) => `message ${i}`);
    look(ledgerOf({ answered: 1 }));
    expect(paper.page).toHaveLength(30);
    expect(paper.page.at(-2)).toBe('message 49');
    expect(paper.page.at(-1)).toMatch(/^q or Ctrl-C/);
  });

  it('breaks long messages into lines rather than cut them off', () => {
    const { paper, look } = setUp();
    paper.columns = 30;
    paper.messages = ['the first one', 'one that is too long for a narrow terminal'];
    look(ledgerOf({ answered: 1 }));
    const from = paper.page.findIndex((line) => line.includes('Messages'));
    expect(paper.page.slice(from).filter((line) => line !== '')).toEqual([
      '── Messages ──────────────────',
      'the first one',
      'one that is too long for a',
      '  narrow terminal',
      expect.stringMatching(/^q or Ctrl-C .*…$/),
    ]);
  });

  it('begins with a whole message where it cannot show all', () => {
    const { paper, look } = setUp();
    paper.rows = 7;
    paper.columns = 30;
    paper.messages = ['one that is too long for a narrow terminal', 'two', 'three', 'four'];
    look(ledgerOf({ answered: 1 }));
    expect(paper.page.filter((line) => line !== '').slice(-4, -1)).toEqual(['two', 'three', 'four']);
    expect(paper.text).not.toContain('narrow terminal');
  });

  it('has air between its parts where there is room', () => {
    const { paper, look } = setUp();
    const blanks = (): number =>
      paper.page
        .slice(
          0,
          paper.page.findIndex((line) => line.startsWith('reset')),
        )
        .filter((line) => line === '').length;
    look(ledgerOf({ answered: 5, reset: 3 }));
    expect(blanks()).toBe(2);
    paper.rows = 14;
    paper.redraw();
    expect(blanks()).toBe(0);
  });

  it('says that nothing has come yet', () => {
    const { look } = setUp();
    const text = look(ledgerOf({}));
    expect(text).toMatch(/^Copied +nothing yet$/m);
    expect(text).toMatch(/^Lost +nothing$/m);
  });

  it('is exactly as large as the screen, whatever its size and whatever there is to show', () => {
    const size = fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(size, fc.nat(12), fc.nat(10), ({ columns, rows }, plugins, messages) => {
        const { paper, look } = setUp();
        Object.assign(paper, { columns, rows, messages: Array.from({ length: messages }, () => 'm'.repeat(300)) });
        const ledger = ledgerOf({ answered: 5, reset: 3, refused: 2, shed: 1, 'timed-out': 9, shutdown: 1 });
        look(ledger, { plugins: Array.from({ length: plugins }, () => PLUGIN) });
        expect(paper.page).toHaveLength(rows);
        for (const line of paper.page) expect(line.length).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it('is drawn anew with the same figures when the size changes', () => {
    const { paper, look } = setUp();
    const ledger = ledgerOf({ answered: 100 });
    look(ledger, { elapsed: seconds(1) });
    const before = paper.text;
    paper.columns = 60;
    paper.redraw();
    expect(paper.text).not.toBe(before);
    expect(paper.text).toMatch(/^Requests +100\/s/m);
  });

  it('keeps its head on a small screen', () => {
    const { paper, look } = setUp();
    paper.rows = 12;
    const text = look(ledgerOf({ answered: 5, reset: 3, refused: 2 }), { plugins: [PLUGIN] });
    expect(text).toMatch(/^Requests/m);
    expect(text).toMatch(/^Copied/m);
  });
});

it('comes once a second, from the first moment on, and gives the screen back at the end', () => {
  const { paper, view, look } = setUp();
  expect(view.due(instant(5))).toBe(true);
  look(ledgerOf({ answered: 1 }));
  expect(view.due(instant(999_999))).toBe(false);
  expect(view.due(instant(1_000_000))).toBe(true);
  view.over();
  expect(paper.back).toBe(1);
});
