/**
 * A dialogue against random targets: whatever they do, and whenever, each session begins with its login, no id goes that
 * its server did not give, and every request is settled once.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SessionEnd } from '../../../src/replay/target.ts';
import { answerTo } from '../../support/desk-protocol.ts';
import { DeskRig } from './desk-rig.ts';
import type { FakeSession } from './replay-rig.ts';

type Step =
  | { readonly do: 'client'; readonly line: string; readonly answers: number }
  | { readonly do: 'online' | 'skip' | 'break' | 'fin' }
  | { readonly do: 'serve'; readonly lines: number; readonly cut: boolean }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'room'; readonly count: number }
  | { readonly do: 'garbage'; readonly bytes: 'cut' | 'junk' }
  | { readonly do: 'end'; readonly end: SessionEnd };

const line = fc.constantFrom(
  'login ann x',
  'room red',
  'room blue',
  'keep hat',
  'keep coat',
  'show 1',
  'show 2',
  'note x',
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('client' as const), line, answers: fc.constantFrom(0, 1, 9) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('online' as const) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('serve' as const),
      lines: fc.integer({ min: 1, max: 5 }),
      cut: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.oneof(fc.nat(100), fc.nat(40_000)) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('room' as const), count: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('skip' as const, 'break' as const, 'fin' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('garbage' as const), bytes: fc.constantFrom('cut', 'junk') }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      end: fc.constantFrom('closed', 'refused', 'reset', 'timed-out'),
    }),
  },
) as fc.Arbitrary<Step>;

/** The server's side of one session. */
class Desk {
  readonly session: FakeSession;
  readonly challenge: string;
  readonly given = new Set<string>();
  readonly #ids: () => number;
  #greeted = false;
  #heard = 0;

  constructor(session: FakeSession, challenge: string, ids: () => number) {
    this.session = session;
    this.challenge = challenge;
    this.#ids = ids;
  }

  get lines(): string[] {
    return this.session.sent.split('\n').slice(0, -1);
  }

  /** Answers up to so many lines, in one piece or two. */
  serve(count: number, cut: boolean): void {
    const said = this.#greeted ? [] : [`desk ${this.challenge}`];
    this.#greeted = true;
    for (const line of this.lines.slice(this.#heard, this.#heard + count)) said.push(...this.#answer(line));
    this.#heard = Math.min(this.lines.length, this.#heard + count);
    if (this.session.over) return;
    this.session.ack();
    const text = said.map((one) => `${one}\n`).join('');
    const at = cut ? Math.floor(text.length / 2) : text.length;
    for (const part of [text.slice(0, at), text.slice(at)]) {
      if (part !== '' && !this.session.over) this.session.say(part);
    }
  }

  #answer(line: string): string[] {
    const [verb] = line.split(' ');
    if (verb === 'login') return ['+in'];
    if (verb === 'note') return [];
    if (verb === 'show') return ['-part', '+thing'];
    if (verb !== 'keep') return [`+${line}`];
    const id = `t${this.#ids()}`;
    this.given.add(id);
    return [`+id ${id}`];
  }
}

it('keeps its promises whatever the target does', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), fc.boolean(), (script, waits, early) => {
      const rig = new DeskRig({ waitsForResponse: waits });
      const desks: Desk[] = [];
      let ids = 0;
      const desk = (): Desk | undefined => {
        for (const session of rig.target.sessions.slice(desks.length)) {
          desks.push(new Desk(session, `c${desks.length}`, () => ids++));
        }
        return desks.at(-1)?.session.over === false ? desks.at(-1) : undefined;
      };
      let sent = 0;
      let online = 0;
      const kept: string[] = [];
      if (early) rig.replica.openEarly();
      for (const one of script) {
        const now = desk();
        if (one.do === 'client') {
          sent++;
          // The same line again is another message.
          const text = one.line.startsWith('keep') ? `${one.line}${sent}` : one.line;
          if (text.startsWith('keep')) kept.push(text);
          rig.client(text, one.answers);
        } else if (one.do === 'online' && online < kept.length) {
          rig.online(kept[online]!, `+id ${++online}`);
        } else if (one.do === 'skip') rig.replica.skip('filtered');
        else if (one.do === 'break') rig.replica.breakUnit('capture-gap', true);
        else if (one.do === 'pass') rig.pass(one.ms);
        else if (one.do === 'room') rig.target.room = one.count;
        else if (now === undefined) continue;
        else if (one.do === 'serve') now.serve(one.lines, one.cut);
        else if (one.do === 'fin') now.session.fin();
        else if (one.do === 'garbage' && one.bytes === 'cut') now.session.respond(3);
        else if (one.do === 'garbage') now.session.say('x'.repeat(5_000));
        else if (one.do === 'end') now.session.end(one.end);
        if (one.do === 'room' && now !== undefined) now.session.makeRoom(one.count);
      }
      rig.target.room = Infinity;
      rig.replica.clientEnded('fin', 1);
      for (let i = 0; i < 200 && rig.done === 0; i++) {
        const now = desk();
        now?.session.makeRoom(1_000);
        now?.serve(5, false);
        rig.pass(31_000);
      }
      desk();
      expect([rig.done, rig.settled.length]).toEqual([1, sent]);
      rig.expectIdle();
      for (const { lines, challenge, given } of desks) {
        if (lines.length === 0) continue;
        expect([`login ann ${answerTo(challenge, 'secret')}`, `login guest ${answerTo(challenge, 'g')}`]).toContain(
          lines[0],
        );
        for (const line of lines) if (line.startsWith('show')) expect(given).toContain(line.slice(5));
      }
    }),
    { numRuns: 300 },
  );
});
