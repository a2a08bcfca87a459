/**
 * Requests that a client sent without waiting, replayed with their responses unread to a server that acknowledges
 * everything at once, reads one request after another, and drops what it has not read of a client that closes while a
 * response is under way, as nginx does.
 */
import { describe, expect, it } from 'vitest';
import { HttpRequestCodec } from '../../../plugins/http/request-codec.ts';
import { seconds } from '../../../src/core/time.ts';
import { Random } from '../../../src/testing/random.ts';
import { Capture } from '../../unit/replay/captured-connection.ts';
import type { FakeSession } from '../../unit/replay/replay-rig.ts';

const SEEDS = 400;
const HEAD_END = '\r\n\r\n';
/** Bytes that a server sends at once. */
const WRITE = 1_448;

function request(id: number): string {
  return `GET /${id} HTTP/1.1\r\nHost: x${HEAD_END}`;
}

interface Pauses {
  /** Milliseconds, at most: before a response, and between its parts. */
  readonly before: number;
  readonly within: number;
}

/** The target, and which requests it has answered to the end. */
class SlowServer {
  readonly answered: number[] = [];
  readonly #capture: Capture;
  readonly #sizes: readonly number[];
  readonly #pauses: Pauses;
  readonly #random: Random;

  constructor(capture: Capture, sizes: readonly number[], pauses: Pauses, random: Random) {
    this.#capture = capture;
    this.#sizes = sizes;
    this.#pauses = pauses;
    this.#random = random;
  }

  /** Takes all that comes, until nothing more does. */
  serve(): void {
    for (let session = this.#takes(); session !== undefined; session = this.#takes()) {
      const { length } = this.answered;
      const end = session.sent.split(HEAD_END).length - 1;
      if (length < end) this.#answer(session, length);
      else if (session.state !== 'open') session.end('closed');
      else return;
    }
  }

  #takes(): FakeSession | undefined {
    const { session } = this.#capture;
    if (session.over) return undefined;
    if (session.acknowledged < session.sent.length) session.ack();
    return session.over ? undefined : session;
  }

  #answer(session: FakeSession, id: number): void {
    this.#wait(this.#pauses.before);
    for (let left = this.#sizes[id]!; left > 0;) {
      // Said before the session can be asked for more: a client that is gone gets nothing.
      if (session.state === 'aborted') return;
      const part = Math.min(left, WRITE * (1 + this.#random.below(20)));
      left -= part;
      session.respond(part, left === 0 || this.#random.below(2) === 0);
      this.#takes();
      if (left === 0) break;
      this.#wait(this.#pauses.within);
      // It waits for room to send, and learns that the client has closed.
      if (session.state !== 'open') return this.#drop(session);
    }
    this.answered.push(id);
  }

  #drop(session: FakeSession): void {
    this.answered.push(-1);
    if (!session.over) session.end('reset');
  }

  #wait(most: number): void {
    if (most > 0) this.#capture.pass(this.#random.below(most));
  }
}

interface Scenario {
  readonly pauses: Pauses;
  readonly end?: 'fin' | 'rst' | 'gone';
  /** How much longer, or shorter, the target's responses are than those online. */
  readonly scale?: (random: Random) => number;
}

/** A client that pipelines requests, cut into segments anyhow, and has seen everything when it ends. */
function replay(seed: number, { pauses, end = 'fin', scale = () => 1 }: Scenario): void {
  const random = new Random(seed);
  const count = 2 + random.below(8);
  const sizes = Array.from({ length: count }, () => 1 + random.below(random.below(3) === 0 ? 100_000 : 1_500));
  const capture = new Capture({ codec: new HttpRequestCodec(true) });
  const server = new SlowServer(
    capture,
    sizes.map((size) => Math.max(1, Math.floor(size * scale(random)))),
    pauses,
    random,
  );
  const stream = Array.from({ length: count }, (_, id) => request(id)).join('');
  const serveNow = random.below(2) === 0;
  let seen = 0;
  for (let at = 0; at < stream.length;) {
    // All that the server can have said to what it has.
    const asked = stream.slice(0, at).split(HEAD_END).length - 1;
    const said = sizes.slice(0, asked).reduce((a, b) => a + b, 0);
    if (random.below(2) === 0) {
      const more = random.below(2) === 0 ? said - seen : random.below(said - seen + 1);
      capture.sees(more);
      seen += more;
    }
    const length = 1 + random.below(40);
    capture.data(stream.slice(at, at + length));
    at += length;
    if (serveNow) server.serve();
  }
  capture.sees(sizes.reduce((a, b) => a + b, 0) - seen).ended(end);
  for (let i = 0; capture.done === 0 && i < 200; i++) {
    server.serve();
    capture.pass(500);
  }
  server.serve();
  expect(server.answered, `seed ${seed}: answered`).toEqual(sizes.map((_, id) => id));
  expect(capture.buckets, `seed ${seed}: counted`).toEqual({ answered: count });
  capture.expectIdle();
}

function replayAll(scenario: Scenario): void {
  for (let seed = 1; seed <= SEEDS; seed++) replay(seed, scenario);
}

describe('pipelined requests whose responses are not read', () => {
  it('are all answered before the session is closed, however the client cut them', () => {
    replayAll({ pauses: { before: 0, within: 0 } });
    replayAll({ pauses: { before: 5, within: 5 } });
  });

  it('by a target that takes its time between them', () => {
    replayAll({ pauses: { before: 900, within: 8 } });
  });

  it('by a target whose responses are longer or shorter than online', () => {
    replayAll({ pauses: { before: 900, within: 8 }, scale: (random) => 0.25 + random.next() * 3 });
  });

  it.each(['rst', 'gone'] as const)('whose client ended with %s', (end) => {
    replayAll({ pauses: { before: 100, within: 8 }, end });
  });

  it('of which the client saw one answered in the middle of the last: the session stays open until both are', () => {
    const capture = new Capture({ codec: new HttpRequestCodec(true) });
    const last = request(2);
    capture
      .data(request(1) + last.slice(0, 10))
      .sees(100_000)
      .data(last.slice(10))
      .sees(2_000)
      .ended();
    capture.session.answer(40_000);
    expect([capture.buckets, capture.session.state]).toEqual([{ answered: 2 }, 'open']);
    capture.session.respond(60_000);
    expect(capture.session.state).toBe('open');
    capture.session.respond(2_000);
    expect(capture.session.state).toBe('closing');
    capture.expectSettled('replayed', { answered: 2 });
  });

  it('are waited for as long as a response is, not longer', () => {
    const capture = new Capture({ codec: new HttpRequestCodec(true), heldPatience: seconds(10) });
    capture
      .data(request(1) + request(2))
      .sees(3_000)
      .ended();
    for (let n = 0; n < 99; n++) {
      capture.session.answer(700);
      capture.pass(100);
    }
    expect(capture.session.state).toBe('open');
    capture.pass(200);
    expect(capture.session.state).toBe('closing');
    capture.expectSettled('replayed', { answered: 2 });
  });

  it('behind a gap, where nobody knows how much the client had seen, are waited for until the target is silent', () => {
    const capture = new Capture({ codec: new HttpRequestCodec(true) });
    capture.data(request(1)).sees(2_000);
    capture.replay.gap(request(2).length);
    capture.data(request(3)).sees(2_000).ended();
    for (let n = 0; n < 3; n++) {
      capture.session.answer(2_000);
      capture.pass(900);
      expect(capture.session.state).toBe('open');
    }
    capture.pass(200);
    expect(capture.session.state).toBe('closing');
    capture.expectSettled('partly-replayed', { answered: 2, 'capture-gap': 1 });
  });
});
