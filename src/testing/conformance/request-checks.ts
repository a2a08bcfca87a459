/** What is asked of a codec for the client's side. */
import { textOf } from '../bytes.ts';
import type { Revertible } from '../../pipeline/protocol-hooks.ts';
import { Judge } from './judge.ts';
import { cutAt, from, places, randomCuts, upTo, withHole } from './steps.ts';
import { quoted } from './transcript.ts';
import { Trial } from './trial.ts';

export const REQUEST_CHECKS: Readonly<Record<string, (trial: Trial) => void | Promise<void>>> = {
  'turn by turn': checkWhole,
  'byte by byte'(trial) {
    trial.expectSame(
      'byte by byte',
      cutAt(
        trial.turns,
        Array.from({ length: trial.length }, (_, i) => i),
      ),
    );
  },
  'cut in two anywhere'(trial) {
    for (const at of places(trial.length)) trial.expectSame(`cut before byte ${at}`, cutAt(trial.turns, [at]));
  },
  'cut at random'(trial) {
    for (let i = 0; i < trial.rounds; i++) {
      const cuts = randomCuts(trial.length, trial.random);
      trial.expectSame(`cut before bytes ${cuts.join(', ')}`, cutAt(trial.turns, cuts));
    }
  },
  'looked at after its bytes are gone'(trial) {
    trial.expectSame('messages told later than the next push', trial.turns, { late: true });
    trial.expectSame('the same byte by byte', cutAt(trial.turns, places(trial.length)), { late: true });
  },
  'with trailing bytes': checkTrailing,
  'with bytes missing': checkHoles,
  'picked up in the middle': checkMidstream,
  'ended anywhere': checkEnds,
  'recognised by its first bytes': checkDetection,
  changed: checkChanged,
};

function checkWhole(trial: Trial): void {
  const { reference, turns, conversation } = trial;
  const judge = new Judge('turn by turn', turns);
  judge.sound(reference, true);
  if (conversation.messages !== undefined) {
    judge.sameLines('message', conversation.messages, Trial.told(reference.messages));
  }
  if (reference.skippedBytes > 0) judge.fail(`${reference.skippedBytes} bytes of a whole conversation were skipped`);
  const sent = Buffer.concat(reference.messages.map(({ bytes }) => bytes));
  if (textOf(sent) !== textOf(Buffer.concat(turns.map(({ bytes }) => bytes)))) {
    judge.fail('nobody changed anything, but what is to be sent differs from what was captured:', quoted(sent));
  }
}

function checkTrailing(trial: Trial): void {
  const { reference, turns } = trial;
  const [first] = reference.messages;
  const last = turns.at(-1);
  if (first === undefined || last === undefined || reference.messages.at(-1)?.whole !== true) return;
  for (const extra of new Set([1, Math.ceil(first.bytes.length / 2), first.bytes.length - 1, first.bytes.length])) {
    const bytes = Buffer.concat([last.bytes, first.bytes.subarray(0, extra)]);
    const steps = [...turns.slice(0, -1), { ...last, bytes }];
    const judge = new Judge(`with ${extra} bytes of another message behind the last, in one segment`, steps);
    const transcript = trial.read([...steps, 'end']);
    judge.sound(transcript, true);
    judge.same(reference.messages, transcript.messages.slice(0, reference.messages.length));
  }
}

function checkHoles(trial: Trial): void {
  const { random, length } = trial;
  for (let i = 0; i < trial.rounds && length > 1; i++) {
    const begin = random.below(length);
    const end = begin + 1 + random.below(Math.min(length - begin, random.next() < 0.5 ? 8 : length));
    checkLost(trial, `bytes ${begin} to ${end - 1} are missing`, withHole(trial.turns, begin, end), true);
  }
}

function checkMidstream(trial: Trial): void {
  for (const at of places(trial.length)) {
    checkLost(trial, `picked up at byte ${at}`, from(trial.turns, at), false);
  }
}

/** What is read where bytes were lost is in the conversation, and the next turn is found. */
function checkLost(trial: Trial, how: string, steps: Parameters<Trial['read']>[0], fromBoundary: boolean): void {
  const { reference, turns, conversation } = trial;
  const because = 'which nobody sent: what is left of a message must not be taken for one';
  const judge = new Judge(how, steps);
  const transcript = trial.read([...steps, 'end'], {}, fromBoundary);
  judge.sound(transcript, true);
  judge.among(Trial.told(reference.messages), Trial.told(transcript.messages), because);
  if (conversation.resumes === false) return;
  const again = turns.at(-1)!;
  const next = { ...again, turn: turns.length, seen: 1_000 };
  const resumed = trial.read([...steps, next, 'end'], {}, fromBoundary);
  const begun = (messages: typeof reference.messages, turn: number) =>
    Trial.told(messages.filter((message) => message.turn === turn));
  new Judge(`${how}, then the last turn once more`, [...steps, next]).sameLines(
    'message of the turn behind it',
    begun(reference.messages, again.turn),
    begun(resumed.messages, next.turn),
  );
}

function checkEnds(trial: Trial): void {
  const all = Trial.told(trial.reference.messages);
  for (const at of places(trial.length)) {
    const steps = upTo(trial.turns, at);
    const judge = new Judge(`the client ends behind byte ${at - 1}`, steps);
    const transcript = trial.read(steps);
    judge.sound(transcript, true);
    judge.among(all, Trial.told(transcript.messages), 'which the client had not sent whole');
  }
}

function checkDetection(trial: Trial): void {
  const { detect } = trial.definition;
  const [first] = trial.turns;
  if (detect === undefined || first === undefined) return;
  for (const length of [0, ...places(first.bytes.length), first.bytes.length]) {
    const verdicts = [0x00, 0x0a, 0xff].map((around) => {
      const memory = new Uint8Array(first.bytes.length + 16).fill(around);
      memory.set(first.bytes.subarray(0, length), 7);
      return detect(memory, 7, length, trial.info());
    });
    const judge = new Judge(`detect is asked of ${quoted(first.bytes.subarray(0, length))}`);
    if (new Set(verdicts).size > 1) judge.fail(`it reads bytes beyond its own: ${verdicts.join(', ')}`);
    if (verdicts[0] === 'no') judge.fail('it says no, of bytes that begin a conversation');
  }
}

function checkChanged(trial: Trial): void {
  const { spec, turns } = trial;
  const { edit } = spec;
  if (edit === undefined) return;
  trial.expectSame('changed, and the changes taken back', turns, {
    change(message) {
      const { checkpoint, revert } = message as Partial<Revertible>;
      if (checkpoint === undefined || revert === undefined) return;
      const before = checkpoint.call(message);
      edit.call(spec, message);
      revert.call(message, before);
    },
  });
  const edited = trial.read([...turns, 'end'], { change: (message) => edit.call(spec, message) });
  const judge = new Judge('changed', turns);
  if (edited.fault !== undefined) judge.fail(edited.fault);
  const again = turns.map((turn, i) => ({
    ...turn,
    bytes: Buffer.concat(edited.messages.filter((message) => message.turn === i).map(({ bytes }) => bytes)),
  }));
  const reread = trial.read([...again.filter(({ bytes }) => bytes.length > 0), 'end']);
  new Judge('what was written of changed messages, read again', again).sameLines(
    'message',
    Trial.told(edited.messages),
    Trial.told(reread.messages),
  );
}
