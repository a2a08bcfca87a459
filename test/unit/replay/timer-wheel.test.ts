import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instant, millis, NEVER, type Instant } from '../../../src/core/time.ts';
import { TimerEntry, TimerWheel } from '../../../src/replay/timer-wheel.ts';

/** Width of a slot, µs: how late a timer may be. */
const SLOT = 1_000;

class Timer extends TimerEntry {
  readonly id: number;
  readonly fired: (timer: Timer, now: Instant) => void;

  constructor(id: number, fired: (timer: Timer, now: Instant) => void) {
    super();
    this.id = id;
    this.fired = fired;
  }

  timerFired(now: Instant): void {
    this.fired(this, now);
  }
}

function at(ms: number): Instant {
  return instant(ms * 1_000);
}

/** A wheel at 0 and a log of which timer fired when, in milliseconds. */
function wheelWithLog(start = 0) {
  const wheel = new TimerWheel(at(start));
  const log: string[] = [];
  const timer = (id: number, then?: (timer: Timer, now: Instant) => void): Timer =>
    new Timer(id, (self, now) => {
      log.push(`${id}@${now / 1_000}`);
      then?.(self, now);
    });
  return { wheel, log, timer };
}

describe('a timer', () => {
  it('fires once, at its deadline and not before', () => {
    const { wheel, log, timer } = wheelWithLog();
    const a = timer(1);
    wheel.schedule(a, at(5));
    expect(wheel.size).toBe(1);
    wheel.advance(instant(4_999));
    expect(log).toEqual([]);
    wheel.advance(at(5));
    wheel.advance(at(9_000));
    expect(log).toEqual(['1@5']);
    expect(a.deadline).toBe(NEVER);
    expect(wheel.size).toBe(0);
  });

  it('fires at the latest one slot after a deadline between two ticks', () => {
    const { wheel, log, timer } = wheelWithLog();
    wheel.schedule(timer(1), instant(5_001));
    wheel.advance(instant(5_999));
    expect(log).toEqual([]);
    wheel.advance(at(6));
    expect(log).toEqual(['1@6']);
  });

  it('fires at the next tick when its deadline has passed already', () => {
    const { wheel, log, timer } = wheelWithLog();
    wheel.advance(at(100));
    wheel.schedule(timer(1), at(3));
    expect(wheel.nextWake()).toBe(at(101));
    wheel.advance(at(101));
    expect(log).toEqual(['1@101']);
  });

  it('can be moved later, earlier, and away', () => {
    const { wheel, log, timer } = wheelWithLog();
    const [later, earlier, away] = [timer(1), timer(2), timer(3)];
    for (const t of [later, earlier, away]) wheel.schedule(t, at(50));
    wheel.schedule(later, at(70));
    wheel.schedule(earlier, at(30));
    wheel.schedule(away, NEVER);
    for (let ms = 1; ms <= 100; ms++) wheel.advance(at(ms));
    expect(log).toEqual(['2@30', '1@70']);
  });

  it('waits for more than a turn of the wheel', () => {
    const { wheel, log, timer } = wheelWithLog();
    wheel.schedule(timer(1), at(10_000));
    for (let ms = 0; ms < 10_000; ms += 7) wheel.advance(at(ms));
    expect(log).toEqual([]);
    wheel.advance(at(10_000));
    expect(log).toEqual(['1@10000']);
  });

  it('is not overlooked by a sleep of many turns', () => {
    const { wheel, log, timer } = wheelWithLog();
    wheel.schedule(timer(1), at(10));
    wheel.schedule(timer(2), at(5_000));
    wheel.schedule(timer(3), at(1_000_000));
    wheel.advance(at(60_000));
    expect(log.sort()).toEqual(['1@60000', '2@60000']);
    expect(wheel.size).toBe(1);
  });
});

describe('a timer that fires', () => {
  it('may set itself again, even for a moment that has passed: it fires at the next tick', () => {
    const { wheel, log, timer } = wheelWithLog();
    wheel.schedule(
      timer(1, (self, now) => {
        if (log.length < 3) wheel.schedule(self, now);
      }),
      at(10),
    );
    wheel.advance(at(10));
    expect(log).toEqual(['1@10']);
    expect(wheel.nextWake()).toBe(at(11));
    wheel.advance(at(11));
    wheel.advance(at(12));
    expect(log).toEqual(['1@10', '1@11', '1@12']);
  });

  it('may cancel others that are due with it', () => {
    const { wheel, log, timer } = wheelWithLog();
    const timers: Timer[] = [];
    for (let id = 0; id < 5; id++) {
      timers.push(timer(id, (self) => timers.filter((t) => t !== self).forEach((t) => wheel.schedule(t, NEVER))));
    }
    for (const t of timers) wheel.schedule(t, at(10));
    wheel.advance(at(10));
    expect(log).toHaveLength(1);
    expect(wheel.size).toBe(0);
  });

  it('may move the one after it to another slot, and those behind still fire', () => {
    const { wheel, log, timer } = wheelWithLog();
    // A slot lists the newest first: 3 fires, moves 2 (which waits for the next turn of the wheel), and 1 is behind 2.
    const first = timer(1);
    const second = timer(2);
    wheel.schedule(first, at(10));
    wheel.schedule(second, at(10 + 4_096));
    wheel.schedule(
      timer(3, () => wheel.schedule(second, at(20))),
      at(10),
    );
    wheel.advance(at(10));
    expect(log).toEqual(['3@10', '1@10']);
    wheel.advance(at(20));
    expect(log).toEqual(['3@10', '1@10', '2@20']);
  });
});

describe('nextWake', () => {
  it('is NEVER without timers', () => {
    expect(new TimerWheel(at(0)).nextWake()).toBe(NEVER);
  });

  it('is the tick at or after the earliest deadline', () => {
    const { wheel, timer } = wheelWithLog(1_000);
    wheel.schedule(timer(1), at(1_500));
    wheel.schedule(timer(2), instant(1_200_300));
    expect(wheel.nextWake()).toBe(at(1_201));
  });
});

/** A step of the random test: what happens between two moments, ids and times as small numbers. */
type Step =
  | { readonly kind: 'schedule'; readonly id: number; readonly delay: number }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'advance'; readonly by: number }
  | { readonly kind: 'wake' };

const TIMERS = 24;
/** Microseconds, favouring collisions: the same slot, the same slot a turn later, and far away. */
const delays = fc.oneof(
  fc.integer({ min: -3_000, max: 12_000 }),
  fc.integer({ min: 0, max: 40 }).map((n) => n * 1_000),
  fc.integer({ min: 0, max: 3 }).map((n) => n * 4_096_000 + 5_000),
  fc.integer({ min: 0, max: 20_000_000 }),
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('schedule' as const), id: fc.nat(TIMERS - 1), delay: delays }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), id: fc.nat(TIMERS - 1) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      by: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 9_000_000 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wake' as const) }) },
);
/** What a timer does when it fires: nothing, or moves timers (possibly itself). */
const reactions = fc.array(fc.option(fc.record({ id: fc.nat(TIMERS - 1), delay: fc.option(delays) }), { freq: 2 }), {
  maxLength: 40,
});

describe('against a list of deadlines', () => {
  it('fires what is due, within a slot, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 120 }), reactions, (script, react) => {
        let now = instant(1_700_000_000_123_456);
        const wheel = new TimerWheel(now);
        /** The model: when each timer is due; absent: not set. */
        const due = new Map<number, number>();
        let reaction = 0;
        let reacting = true;
        const schedule = (id: number, deadline: Instant): void => {
          wheel.schedule(timers[id]!, deadline);
          if (deadline === NEVER) due.delete(id);
          else due.set(id, deadline);
        };
        const timers = Array.from(
          { length: TIMERS },
          (_, id) =>
            new Timer(id, (_self, firedAt) => {
              expect(firedAt).toBe(now);
              expect(due.get(id)).toBeLessThanOrEqual(now);
              due.delete(id);
              const then = reacting ? react[reaction++] : undefined;
              if (then) schedule(then.id, then.delay === null ? NEVER : instant(now + then.delay));
            }),
        );
        const advance = (to: Instant): void => {
          now = to;
          wheel.advance(now);
          // Nothing may be left that was due before the last whole tick, unless it was set with a past deadline just now.
          for (const [id, deadline] of due) {
            if (Math.ceil(deadline / SLOT) * SLOT <= now) expect(timers[id]!.filedTick * SLOT).toBeGreaterThan(now);
          }
        };
        for (const step of script) {
          if (step.kind === 'schedule') schedule(step.id, instant(now + step.delay));
          else if (step.kind === 'cancel') schedule(step.id, NEVER);
          else if (step.kind === 'advance') advance(instant(now + step.by));
          else {
            const wake = wheel.nextWake();
            if (due.size === 0) {
              expect(wake).toBe(NEVER);
              continue;
            }
            const earliest = Math.max(Math.min(...due.values()), now);
            expect(wake).toBeLessThan(earliest + SLOT + 1);
            if (wake > now) advance(wake);
          }
          expect(wheel.size).toBe(due.size);
          for (const timer of timers) expect(timer.deadline).toBe(due.get(timer.id) ?? NEVER);
        }
        // A caller that sleeps as told empties the wheel.
        reacting = false;
        for (let n = 0; due.size > 0; n++) {
          expect(n).toBeLessThan(2_000);
          advance(instant(Math.max(wheel.nextWake(), now)));
        }
        expect(wheel.nextWake()).toBe(NEVER);
      }),
      { numRuns: 500 },
    );
  });
});

describe('many timers', () => {
  it('all fire in their millisecond when time passes evenly', () => {
    const wheel = new TimerWheel(at(0));
    const late: number[] = [];
    let fired = 0;
    for (let i = 0; i < 20_000; i++) {
      const deadline = instant((i * 7_919) % 30_000_000);
      wheel.schedule(
        new Timer(i, (_self, now) => {
          fired++;
          if (now - deadline > millis(1)) late.push(now - deadline);
        }),
        deadline,
      );
    }
    for (let ms = 0; ms <= 30_000; ms++) wheel.advance(at(ms));
    expect(fired).toBe(20_000);
    expect(late).toEqual([]);
  });
});
