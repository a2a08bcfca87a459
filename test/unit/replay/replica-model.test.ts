import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SessionEnd } from '../../../src/replay/target.ts';
import { ReplicaRig, type FakeSession } from './replay-rig.ts';

/** What the client sends. Every piece of every unit has bytes of its own, so that a session's stream tells its story. */
interface SentUnit {
  readonly id: number;
  readonly answers: number;
  readonly sameSession: boolean;
  /** Something was left out before it. */
  readonly afterSkip: boolean;
  /** All pieces that the replica was given of it. */
  content: string;
  /** The capture lost some of it. */
  broken: boolean;
}

type Step =
  | {
      readonly do: 'begin';
      readonly answers: number;
      readonly sameSession: boolean;
      readonly length: number;
      readonly last: boolean;
    }
  | { readonly do: 'continue'; readonly length: number; readonly last: boolean }
  | { readonly do: 'skip' | 'break' | 'fin' }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'ack'; readonly share: number }
  | { readonly do: 'respond'; readonly length: number; readonly push: boolean }
  /** Memory that other sessions free makes room without a word. */
  | { readonly do: 'room'; readonly count: number; readonly quietly: boolean }
  | { readonly do: 'roomOfNext'; readonly count: number }
  | { readonly do: 'end'; readonly end: SessionEnd }
  | { readonly do: 'failure'; readonly failure: 'no-lease' | undefined };

const length = fc.integer({ min: 1, max: 30 });
const ends = fc.constantFrom<SessionEnd>('closed', 'refused', 'reset', 'timed-out', 'send-failed');
const only = <T extends string>(word: T) => fc.record({ do: fc.constant(word) });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('begin' as const),
      answers: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 20 })),
      sameSession: fc.boolean(),
      length,
      last: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('continue' as const), length, last: fc.boolean() }) },
  { weight: 1, arbitrary: only('skip') },
  { weight: 1, arbitrary: only('break') },
  { weight: 1, arbitrary: only('fin') },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.oneof(fc.nat(30), fc.nat(40_000)) }),
  },
  { weight: 7, arbitrary: fc.record({ do: fc.constant('ack' as const), share: fc.constantFrom(0.5, 1, 1, 1) }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('respond' as const),
      length: fc.nat(20).map((n) => n + 1),
      push: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('room' as const), count: fc.nat(40), quietly: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('roomOfNext' as const), count: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('end' as const), end: ends }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('failure' as const),
      failure: fc.constantFrom('no-lease' as const, undefined),
    }),
  },
);

const scenario = fc.record({
  early: fc.boolean(),
  waits: fc.boolean(),
  repeatable: fc.boolean(),
  budget: fc.constantFrom(0, 40, 1 << 20),
  /** Before and after the client's end. */
  script: fc.array(step, { maxLength: 60 }),
  epilogue: fc.array(step, { maxLength: 20 }),
  clientEnd: fc.constantFrom('fin' as const, 'rst' as const, 'gone' as const),
  endAnswers: fc.constantFrom(0, 1, 500),
  stopped: fc.boolean(),
});

/** A unit begins with a byte of its own; the others say where in it they are. */
const FIRST_ID = 0x80;

function byteAt(unit: SentUnit, position: number): string {
  return String.fromCharCode(position === 0 ? FIRST_ID + unit.id : 0x61 + (position % 23));
}

/** The fake target's side, with the sense not to do what no target can do. */
class TargetSide {
  readonly rig: ReplicaRig;
  readonly finished = new Set<FakeSession>();
  /** For each session, how many bytes it had taken when responses came. */
  readonly responsesAt = new Map<FakeSession, number[]>();

  constructor(rig: ReplicaRig) {
    this.rig = rig;
  }

  get session(): FakeSession | undefined {
    return this.rig.target.sessions.at(-1);
  }

  play(step: Step): void {
    const { session } = this;
    if (session === undefined || session.over) return;
    if (step.do === 'ack') session.ack(Math.ceil((session.sent.length - session.acknowledged) * step.share));
    else if (step.do === 'room' && step.quietly) session.room += step.count;
    else if (step.do === 'room') session.makeRoom(step.count);
    else if (step.do === 'end') session.end(step.end);
    else if (step.do === 'respond' && !this.finished.has(session)) {
      this.responsesAt.set(session, [...(this.responsesAt.get(session) ?? []), session.sent.length]);
      session.respond(step.length, step.push);
    } else if (step.do === 'fin' && !this.finished.has(session)) {
      this.finished.add(session);
      session.fin();
    }
  }
}

/** The client's side: gives the replica its pieces and keeps a copy. */
class ClientSide {
  readonly rig: ReplicaRig;
  readonly units: SentUnit[] = [];
  #open: SentUnit | undefined;
  #skipped = false;

  constructor(rig: ReplicaRig) {
    this.rig = rig;
  }

  play(step: Step): void {
    if (step.do === 'begin') {
      const { answers, sameSession } = step;
      const afterSkip = this.#skipped;
      this.#open = { id: this.units.length, answers, sameSession, afterSkip, content: '', broken: false };
      this.#skipped = false;
      this.units.push(this.#open);
      this.#piece(step.length, true, step.last);
    } else if (step.do === 'continue' && this.#open !== undefined) {
      this.#piece(step.length, false, step.last);
    } else if (step.do === 'skip') {
      this.#open = undefined;
      this.#skipped = true;
      this.rig.replica.skip('filtered');
    } else if (step.do === 'break') {
      if (this.#open !== undefined) this.#open.broken = true;
      this.#open = undefined;
      this.rig.replica.breakUnit('capture-gap', true);
    }
  }

  #piece(length: number, first: boolean, last: boolean): void {
    const unit = this.#open!;
    const text = Array.from({ length }, (_, i) => byteAt(unit, unit.content.length + i)).join('');
    unit.content += text;
    if (last) this.#open = undefined;
    this.rig.push(text, { first, last, answers: unit.answers, sameSession: unit.sameSession });
  }
}

/** Cuts a session's stream into units, failing where it is not what it must be. */
function unitsIn(
  session: FakeSession,
  units: readonly SentUnit[],
): { readonly unit: SentUnit; readonly start: number }[] {
  const found: { unit: SentUnit; start: number }[] = [];
  for (let at = 0; at < session.sent.length;) {
    const rest = session.sent.slice(at);
    const earlier = found.at(-1)?.unit;
    expect(earlier?.broken ?? false, `after a broken unit comes ${rest}`).toBe(false);
    const unit = units[rest.charCodeAt(0) - FIRST_ID]!;
    const whole = rest.startsWith(unit.content);
    const prefix = unit.content.startsWith(rest);
    expect(whole || prefix, `${rest} is neither ${unit.content} nor its beginning`).toBe(true);
    found.push({ unit, start: at });
    at += unit.content.length;
  }
  return found;
}

describe('a replica, whatever happens', () => {
  it('delivers whole units in order, settles each once, and leaves nothing behind', () => {
    fc.assert(
      fc.property(
        scenario,
        ({ early, waits, repeatable, budget, script, epilogue, clientEnd, endAnswers, stopped }) => {
          const rig = new ReplicaRig({ waitsForResponse: waits, repeatable, budget });
          const client = new ClientSide(rig);
          const target = new TargetSide(rig);
          const play = (step: Step): void => {
            if (step.do === 'pass') rig.pass(step.ms);
            else if (step.do === 'failure') rig.target.failure = step.failure;
            else if (step.do === 'roomOfNext') rig.target.room = step.count;
            else target.play(step);
            expect(rig.busyReplicas).toBeGreaterThanOrEqual(0);
            expect(rig.unitsSettled).toBeLessThanOrEqual(rig.ledger.unitsOpened);
            expect(rig.budget.used).toBeLessThanOrEqual(Math.max(budget, 0));
          };

          if (early) rig.replica.openEarly();
          for (const each of script) {
            client.play(each);
            play(each);
          }
          rig.replica.clientEnded(clientEnd, endAnswers);
          for (const each of epilogue) play(each);
          if (stopped) rig.replica.stop('shutdown');
          // A target that stays silent ends everything in time: each unit's patience, one after the other.
          else rig.pass((client.units.length + 2) * 31_000);

          expect(rig.done).toBe(1);
          rig.expectIdle();

          const seen = rig.target.sessions.flatMap((session) => {
            const found = unitsIn(session, client.units);
            const responses = target.responsesAt.get(session) ?? [];
            for (const [i, { unit }] of found.entries()) {
              if (!unit.sameSession) continue;
              expect(unit.afterSkip, 'nothing is missing before what needs it').toBe(false);
              if (unit.id > 0) expect(found[i - 1]?.unit.id, 'what needs the one before follows it').toBe(unit.id - 1);
            }
            for (let i = 1; i < found.length; i++) {
              const [from, to] = [found[i - 1]!.start, found[i]!.start];
              const answered = responses.some((at) => at > from && at <= to);
              if (waits && found[i]!.unit.answers > 0) expect(answered, 'a unit that waited had its answer').toBe(true);
            }
            return found.map(({ unit }) => unit.id);
          });
          expect(seen, 'in order, each in one session').toEqual([...new Set(seen)].sort((a, b) => a - b));
          const delivered = (rig.buckets.answered ?? 0) + (rig.buckets.unanswered ?? 0);
          expect(delivered).toBeLessThanOrEqual(seen.length);
        },
      ),
      { numRuns: 1_500 },
    );
  });

  it('loses nothing to a target that answers, however slowly it reads', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ answers: fc.nat(3), length, pieces: fc.integer({ min: 1, max: 3 }) }), { maxLength: 20 }),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        (plan, room, early) => {
          const rig = new ReplicaRig();
          rig.target.room = room;
          if (early) rig.replica.openEarly();
          let expected = '';
          plan.forEach(({ answers, length: n, pieces }, id) => {
            for (let i = 0; i < pieces; i++) {
              const text = `[${id}.${i}]`.padEnd(n, '.');
              expected += text;
              // The first unit of a connection whose server says nothing first waits for nothing.
              rig.push(text, { first: i === 0, answers: id === 0 ? 0 : answers });
            }
          });
          rig.replica.clientEnded('fin', 1);
          for (let turn = 0; rig.done === 0 && turn < 10_000; turn++) {
            rig.session.ack();
            if (rig.done === 0) rig.session.makeRoom(room);
            if (rig.done === 0) rig.session.respond(1);
            // Nothing is left to be said: a silence is waited for where requests did not wait for each other.
            if (rig.session.sent === expected) rig.pass(1_000);
          }
          expect(rig.target.sessions.map((s) => s.sent).join('|')).toBe(expected);
          rig.expectDone(...plan.map(() => 'answered' as const));
        },
      ),
      { numRuns: 300 },
    );
  });
});
