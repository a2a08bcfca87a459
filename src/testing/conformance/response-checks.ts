/** What is asked of the reader of a protocol's responses. */
import { bytesOf } from '../bytes.ts';
import type { ResponseReader } from '../../protocol/response-reader.ts';
import { Judge } from './judge.ts';
import { cutAt, places, randomCuts } from './steps.ts';
import type { Trial } from './trial.ts';

export const RESPONSE_CHECKS: Readonly<Record<string, (trial: Trial) => void>> = {
  'responses turn by turn'(trial) {
    const { responses } = trial.conversation;
    const heard = hear(trial, 'turn by turn', () => []);
    if (responses !== undefined) new Judge('turn by turn').sameLines('response', responses, heard);
  },
  'responses byte by byte'(trial) {
    const all = (length: number) => Array.from({ length }, (_, i) => i);
    expectSame(trial, 'byte by byte', all);
  },
  'responses cut in two anywhere'(trial) {
    const longest = Math.max(...trial.conversation.server!.map((bytes) => bytesOf(bytes).length));
    for (const at of places(longest)) expectSame(trial, `cut before byte ${at} of each turn`, () => [at]);
  },
  'responses cut at random'(trial) {
    for (let i = 0; i < trial.rounds; i++) {
      expectSame(trial, 'cut at random', (length) => randomCuts(length, trial.random));
    }
  },
  'responses ended anywhere': checkEnds,
};

function expectSame(trial: Trial, how: string, cuts: (length: number) => number[]): void {
  new Judge(`the server's bytes ${how}`).sameLines(
    'response',
    hear(trial, 'turn by turn', () => []),
    hear(trial, how, cuts),
  );
}

/** Has a reader hear the conversation; what it gave, as `tellResponse` tells it. */
function hear(trial: Trial, how: string, cuts: (length: number) => number[]): string[] {
  const { reader, asked } = conversationOf(trial);
  const judge = new Judge(`the server's bytes ${how}`);
  const ear = new Ear(trial, reader, judge);
  trial.conversation.server!.forEach((given, turn) => {
    for (const message of asked[turn] ?? []) ear.ask(message);
    const bytes = bytesOf(given);
    for (const piece of cutAt([{ bytes, turn, seen: 0 }], cuts(bytes.length))) ear.take(piece.bytes);
  });
  ear.end();
  ear.expectAllAnswered();
  return ear.told();
}

/** A server may stop anywhere: nothing is made up, and nothing throws. */
function checkEnds(trial: Trial): void {
  const all = hear(trial, 'turn by turn', () => []);
  const { server } = trial.conversation;
  const bytes = Buffer.concat(server!.map((given) => bytesOf(given)));
  for (const at of places(bytes.length)) {
    const { reader, asked } = conversationOf(trial);
    const judge = new Judge(`the server's bytes end behind byte ${at - 1}`);
    const ear = new Ear(trial, reader, judge);
    for (const message of asked.flat()) ear.ask(message);
    ear.take(bytes.subarray(0, at));
    if (ear.told().length > all.length) judge.fail('more responses were read than the server has sent');
  }
}

/** A fresh reader, and the messages of each turn that it is told of. */
function conversationOf(trial: Trial): { readonly reader: ResponseReader; readonly asked: unknown[][] } {
  const asked: unknown[][] = [];
  const sent = (message: unknown, turn: number): void => void (asked[turn] ??= []).push(message);
  trial.read([...trial.turns, 'end'], { sent });
  return { reader: trial.definition.responses!(trial.info(), 'target'), asked };
}

class Ear {
  readonly #trial: Trial;
  readonly #reader: ResponseReader;
  readonly #judge: Judge;
  readonly #heard: unknown[] = [];
  #expected = 0;
  #completed = 0;

  constructor(trial: Trial, reader: ResponseReader, judge: Judge) {
    this.#trial = trial;
    this.#reader = reader;
    this.#judge = judge;
  }

  ask(message: unknown): void {
    if (this.#reader.sent(message)) this.#expected++;
  }

  take(bytes: Uint8Array): void {
    if (!this.#reader.reading) return;
    const memory = new Uint8Array(bytes.length + 9).fill(0x47);
    memory.set(bytes, 4);
    this.#reader.push(memory, 4, bytes.length);
    this.#drain();
    memory.fill(0x47);
  }

  end(): void {
    if (!this.#reader.reading) return;
    this.#reader.end();
    this.#drain();
  }

  /** Told at the end: a response owns its bytes. */
  told(): string[] {
    const tell = this.#trial.spec.tellResponse ?? String;
    return this.#heard.map((message) => tell.call(this.#trial.spec, message));
  }

  expectAllAnswered(): void {
    const { failure } = this.#reader;
    if (failure !== undefined) this.#judge.fail(`the reader gave up: ${failure}`);
    if (this.#completed !== this.#expected) {
      this.#judge.fail(
        `sent() says that ${this.#expected} requests are answered, but ${this.#completed} responses complete one`,
      );
    }
  }

  #drain(): void {
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
      this.#heard.push(message.message);
      if (message.completes) this.#completed++;
    }
    if (this.#completed > this.#expected) this.#judge.fail('a response completes a request that nobody sent');
  }
}
