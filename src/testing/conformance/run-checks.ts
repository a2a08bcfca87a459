/** The same conversations as segments of a capture, through the reassembly and all that follows. */
import { definePlugin } from '../../plugin/define-plugin.ts';
import { TestRun } from '../test-run.ts';
import type { TestConnection } from '../test-connection.ts';
import { Judge } from './judge.ts';
import { cutAt, randomCuts, withHole, type Pushed } from './steps.ts';
import { quoted } from './transcript.ts';
import { Trial } from './trial.ts';

/** Segments at once of one turn: more are nothing new. */
const MOST_SEGMENTS = 16;
/** A whole run each. */
const MOST_ROUNDS = 10;

export const RUN_CHECKS: Readonly<Record<string, (trial: Trial) => Promise<void>>> = {
  'segments reordered and retransmitted': checkSegments,
  'segments lost': checkLoss,
};

async function checkSegments(trial: Trial): Promise<void> {
  for (let i = 0; i < Math.min(trial.rounds, MOST_ROUNDS); i++) {
    const { told, sent, run } = await copied(trial, (connection) => {
      for (const turn of trial.turns) connection.sendSegments(shuffle(turn, trial), turn.seen);
    });
    const judge = new Judge('segments in another order, some of them twice', trial.turns);
    judge.sameLines('message', Trial.told(trial.reference.messages), told);
    const expected = Buffer.concat(
      trial.reference.messages.filter(({ refused }) => !refused).map(({ bytes }) => bytes),
    );
    if (!expected.equals(sent)) judge.fail(`expected to be sent ${quoted(expected)}`, `sent ${quoted(sent)}`);
    await expectBalance(judge, run);
  }
}

async function checkLoss(trial: Trial): Promise<void> {
  const { random, length } = trial;
  for (let i = 0; i < Math.min(trial.rounds, MOST_ROUNDS) && length > 1; i++) {
    const begin = random.below(length);
    const end = begin + 1 + random.below(length - begin);
    const steps = withHole(trial.turns, begin, end);
    const { told, run } = await copied(trial, (connection) => {
      for (const step of steps) {
        if (step === 'end') continue;
        if ('missing' in step) connection.lose(step.missing);
        else connection.send(step.bytes, step.seen);
      }
    });
    const judge = new Judge(`bytes ${begin} to ${end - 1} were never captured`, steps);
    judge.among(Trial.told(trial.reference.messages), told, 'which nobody sent');
    await expectBalance(judge, run);
  }
}

/** Copies one connection. */
async function copied(
  { spec }: Trial,
  send: (connection: TestConnection) => void,
): Promise<{ readonly told: string[]; readonly sent: Buffer; readonly run: TestRun }> {
  const told: string[] = [];
  const looks = definePlugin({
    name: 'conformance',
    description: 'Tells messages.',
    phase: 'observe',
    apply(hooks) {
      hooks.request.tap('conformance', ({ protocol, message }) => {
        if (protocol === spec.protocol && message !== undefined) told.push(spec.tell(message));
      });
    },
  });
  const run = await TestRun.start([spec.plugin, looks]);
  const connection = run.connect();
  send(connection);
  connection.end();
  await run.settled();
  return { told, sent: connection.sent(), run };
}

async function expectBalance(judge: Judge, run: TestRun): Promise<void> {
  const { balanced, units } = await run.finish();
  if (!balanced) judge.fail('the ledger does not balance', JSON.stringify(units));
  if (run.lines.length > 0) judge.fail('the run had something to complain about:', ...run.lines);
}

function shuffle({ bytes, turn, seen }: Pushed, { random }: Trial): { at: number; bytes: Uint8Array }[] {
  const cuts = randomCuts(bytes.length, random).slice(0, MOST_SEGMENTS);
  let at = 0;
  const segments = cutAt([{ bytes, turn, seen }], cuts).map((piece) => {
    const segment = { at, bytes: piece.bytes };
    at += piece.bytes.length;
    return segment;
  });
  const repeated = segments.filter(() => random.next() < 0.4);
  const overlap = random.below(bytes.length);
  const overlapping = { at: overlap, bytes: bytes.subarray(overlap, overlap + 1 + random.below(40)) };
  return random.shuffled([...segments, ...repeated, overlapping]);
}
