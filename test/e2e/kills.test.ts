/**
 * Round after round something dies (SIGKILL) at a random moment under load and is started again: clients notice nothing,
 * and what begins afterwards is copied whole. FAULT_ROUNDS and TEST_SEED for more, and other ones.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { Random } from '../../src/testing/random.ts';
import type { Lab } from './lab/lab.ts';
import { arrived, perfect, STANDARD_ARGS } from './lab/live-copy.ts';
import { Nginx } from './lab/nginx.ts';
import { startIntercept, startTcpcopy, stopTcpcopy, type RunningProgram } from './lab/programs.ts';
import type { RequestRecord } from './lab/request-record.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { sleep } from './lab/shell.ts';
import { UNTIL_STOPPED, Wrk } from './lab/wrk.ts';

const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 3);
const SEED = Number(process.env['TEST_SEED'] ?? 1);
/** A target that died may be spared for some seconds, which has tests of its own. */
const ARGS = [...STANDARD_ARGS, '--shed', 'never'];
/** From the restart until everything new is copied: tcpcopy connects anew every two seconds at least, ms. */
const RECOVERY = 2_700;
/** For how long it is then looked at, ms. */
const SOUND = 500;

interface Round {
  readonly victim: Victim;
  readonly killed: number;
  readonly dead: number;
  readonly back: number;
}

type Victim = 'tcpcopy' | 'intercept' | 'target';

class Copy {
  readonly online: Nginx;
  readonly #lab: Lab;
  #test: Nginx;
  #intercept: RunningProgram;
  tcpcopy: RunningProgram;

  static async start(lab: Lab): Promise<Copy> {
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    const intercept = await startIntercept(lab.host('assistant'));
    return new Copy(lab, online, test, intercept, await startTcpcopy(lab.host('online'), ARGS));
  }

  private constructor(lab: Lab, online: Nginx, test: Nginx, intercept: RunningProgram, tcpcopy: RunningProgram) {
    this.#lab = lab;
    this.online = online;
    this.#test = test;
    this.#intercept = intercept;
    this.tcpcopy = tcpcopy;
  }

  get test(): Nginx {
    return this.#test;
  }

  async kill(victim: Victim): Promise<void> {
    const { child } = { tcpcopy: this.tcpcopy, intercept: this.#intercept, target: this.#test }[victim];
    // nginx's worker outlives its master.
    const workers = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
    child.kill('SIGKILL');
    if (workers !== '') for (const pid of workers.split(' ')) process.kill(Number(pid), 'SIGKILL');
    await child.exited;
  }

  async restart(victim: Victim): Promise<void> {
    if (victim === 'tcpcopy') this.tcpcopy = await startTcpcopy(this.#lab.host('online'), ARGS);
    else if (victim === 'intercept') this.#intercept = await startIntercept(this.#lab.host('assistant'));
    else this.#test = await Nginx.start(this.#lab.host('test'));
  }
}

/** nginx numbers its connections from one again each time it starts. */
function arrivals(test: Nginx, rounds: readonly Round[]): RequestRecord[] {
  const deaths = rounds.filter(({ victim }) => victim === 'target').map(({ dead }) => dead);
  return test.records().map((r) => {
    const life = deaths.filter((at) => at < r.at).length;
    return { ...r, connection: `${life}-${r.connection}` };
  });
}

describeLab('killed and started again', () => {
  const title = `${ROUNDS} times under load, seed ${SEED}`;
  labTest(
    title,
    {},
    async (lab) => {
      const random = new Random(SEED);
      const copy = await Copy.start(lab);
      const rounds: Round[] = [];
      for (let i = 0; i < ROUNDS; i++) {
        const load = { address: lab.host('online').on('front').v4, seconds: UNTIL_STOPPED, rate: 150, connections: 12 };
        const loads = [true, false].map(
          (short) => new Wrk(lab.host('client'), { ...load, short, tag: `${short ? 'short' : 'long'}-${i}-` }),
        );
        await sleep(300 + random.below(1_500));
        const victim = (['tcpcopy', 'intercept', 'target'] as const)[i < 3 ? i : random.below(3)]!;
        const killed = Date.now();
        await copy.kill(victim);
        const dead = Date.now();
        await sleep(random.below(600));
        await copy.restart(victim);
        rounds.push({ victim, killed, dead, back: Date.now() });
        await sleep(RECOVERY + SOUND);
        for (const wrk of loads) expect((await wrk.stop()).errors).toBeUndefined();
      }
      await arrived(copy.online, copy.test, { patience: 3_000 });
      const { stopped, summary } = await stopTcpcopy(copy.tcpcopy);

      const records = copy.online.records();
      const opened = new Map<string, number>();
      for (const r of records) if (!opened.has(r.connection)) opened.set(r.connection, r.at);
      const roundOf = (id: string): Round => rounds[Number(id.split('-')[1])]!;
      const due = (id: string, openedAt: number): boolean =>
        openedAt < roundOf(id).killed - 700 ? false : openedAt > roundOf(id).back + RECOVERY;
      perfect(
        { online: records, test: arrivals(copy.test, rounds), stopped, summary },
        // A connection that was open then ends with what died; one of before has been copied as far as it got.
        { optional: (r) => !due(r.id, opened.get(r.connection)!) && r.at > roundOf(r.id).killed - 700 },
      );
      const sure = records.filter((r) => due(r.id, opened.get(r.connection)!)).length;
      expect(sure).toBeGreaterThan(20 * ROUNDS);
      console.log(
        `${ROUNDS} rounds: ${rounds.map(({ victim }) => victim).join(' ')}; ${records.length} requests online`,
      );
    },
    60_000 + ROUNDS * 15_000,
  );
});
