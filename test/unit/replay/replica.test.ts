import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { piece, ReplicaRig } from './replay-rig.ts';

/** Most that a replica queues, bytes. */
const QUEUE_LIMIT = 16 << 20;

describe('the direct way', () => {
  it('opens a session for the first unit, hands it over and settles it when answered', () => {
    const rig = new ReplicaRig({}, 3);
    rig.push('GET /a', { last: true });
    expect(rig.target.opened).toMatchObject([{ client: { port: 40_000 }, target: { port: 8080 }, replica: 3 }]);
    expect(rig.session.sent).toBe('GET /a');
    expect(rig.busyReplicas).toBe(1);
    rig.session.ack();
    expect(rig.settled).toEqual([]);
    rig.session.respond(100);
    expect(rig.settled).toEqual(['answered']);
    expect(rig.busyReplicas).toBe(0);
    expect(rig.wheel.size).toBe(0);

    rig.replica.clientEnded('fin', 1);
    expect(rig.session.state).toBe('closing');
    rig.session.end('closed');
    rig.expectDone('answered');
    expect(rig.ledger).toMatchObject({ sessionsOpened: 1, responses: 1, bytesDelivered: 6, unitsOpened: 1 });
  });

  it('opens early when asked, and uses that session', () => {
    const rig = new ReplicaRig();
    rig.replica.openEarly();
    expect(rig.target.sessions).toHaveLength(1);
    expect(rig.busyReplicas).toBe(0);
    rig.push('hello');
    expect(rig.target.sessions).toHaveLength(1);
    expect(rig.session.sent).toBe('hello');
  });

  it('hands over without queueing, so that a spent memory budget does not matter', () => {
    const rig = new ReplicaRig({ budget: 0 });
    rig.push('first');
    rig.session.answer();
    rig.push('second', { answers: 1 });
    rig.more('+more');
    expect(rig.session.sent).toBe('firstsecond+more');
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered', 'answered');
  });

  it('ends an open unit where the next begins', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.answer();
    expect(rig.settled).toEqual([]);
    expect(rig.busyReplicas).toBe(0);
    expect(rig.wheel.size).toBe(0);
    rig.push('two', { answers: 1 });
    expect(rig.settled).toEqual(['answered']);
  });

  it('does not wait for the target alone while more of the unit may come', () => {
    const rig = new ReplicaRig({ patience: seconds(100) });
    rig.push('POST, first half');
    expect(rig.busyReplicas).toBe(1);
    rig.session.ack();
    expect(rig.busyReplicas).toBe(0);
    rig.pass(90_000);
    rig.more('second half', { last: true });
    rig.session.ack();
    expect(rig.busyReplicas).toBe(1);
    rig.session.respond(1);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered');
  });

  it('closes a connection without data', () => {
    const rig = new ReplicaRig();
    rig.replica.openEarly();
    rig.replica.clientEnded('fin', 0);
    expect(rig.session.state).toBe('closing');
    rig.expectDone();
  });

  it('closes when the target has said what the client had seen', () => {
    const rig = new ReplicaRig();
    rig.push('one', { last: true });
    rig.push('two', { last: true });
    rig.replica.clientEnded('fin', 300);
    rig.session.answer(100);
    // Both are answered, as far as can be told; half of what online said is still to come.
    expect(rig.settled).toEqual(['answered', 'answered']);
    expect(rig.session.state).toBe('open');
    rig.pass(150);
    rig.session.respond(100);
    rig.pass(150);
    expect(rig.session.state).toBe('open');
    rig.session.respond(100);
    rig.expectDone('answered', 'answered');
    expect(rig.session.state).toBe('closing');
  });

  it('counts what the target said late of an earlier turn once', () => {
    const rig = new ReplicaRig();
    rig.push('one', { last: true });
    rig.session.answer(10);
    // The client had seen 300 bytes, which this target takes its time over; a quiet lets the next one go.
    rig.push('two', { answers: 300, last: true });
    rig.pass(15);
    expect(rig.session.sent).toBe('onetwo');
    rig.replica.clientEnded('fin', 200);
    rig.session.answer(290);
    expect(rig.session.state).toBe('open');
    rig.session.respond(200);
    rig.expectDone('answered', 'answered');
  });

  it('closes after a quiet where the target says less, and at last however much is missing', () => {
    const short = new ReplicaRig();
    short.push('one', { last: true });
    short.replica.clientEnded('fin', 300);
    short.session.answer(10);
    expect(short.session.state).toBe('open');
    short.pass(250);
    short.expectDone('answered');
    const endless = new ReplicaRig({ heldPatience: seconds(1) });
    endless.push('one', { last: true });
    endless.replica.clientEnded('fin', 30_000);
    for (let n = 0; n < 20 && endless.session.state === 'open'; n++) {
      endless.session.answer(1);
      endless.pass(100);
    }
    endless.expectDone('answered');
  });

  it('closes behind requests that did not wait for each other after a silence, whatever the client had seen', () => {
    const rig = new ReplicaRig({ waitsForResponse: false });
    rig.push('one', { last: true });
    rig.push('two', { answers: 100, last: true });
    rig.push('three', { answers: 100, last: true });
    rig.replica.clientEnded('fin', 100);
    for (let n = 0; n < 5; n++) {
      rig.session.answer(500);
      rig.pass(900);
      expect(rig.session.state).toBe('open');
    }
    rig.pass(200);
    rig.expectDone('answered', 'answered', 'answered');
    expect(rig.session.state).toBe('closing');
    const alone = new ReplicaRig({ waitsForResponse: false });
    alone.push('one', { last: true });
    alone.session.answer(1);
    alone.push('two', { answers: 100, last: true });
    alone.replica.clientEnded('fin', 100);
    alone.session.answer(1);
    alone.expectDone('answered', 'answered');
  });

  it('needs no session to end a connection that never had one', () => {
    const rig = new ReplicaRig();
    rig.replica.clientEnded('gone', 1);
    rig.expectDone();
    expect(rig.target.sessions).toEqual([]);
  });

  it('counts a response once a turn', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.ack();
    rig.session.respond(1_000, false);
    rig.session.respond(400);
    rig.push('two', { answers: 1_400 });
    rig.session.answer(5);
    expect(rig.ledger.responses).toBe(2);
  });

  it('tells when each unit was captured as it goes out', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 1 });
    expect(rig.releasedAt).toHaveLength(1);
    rig.session.answer();
    expect(rig.releasedAt).toHaveLength(2);
  });
});

describe('pacing by response', () => {
  it('holds a unit back until the target has said as much as the client had seen', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 300 });
    expect(rig.session.sent).toBe('one');
    rig.session.ack();
    rig.session.respond(200);
    expect(rig.session.sent).toBe('one');
    rig.session.respond(99);
    expect(rig.session.sent).toBe('one');
    rig.session.respond(1);
    expect(rig.session.sent).toBe('onetwo');
    expect(rig.settled).toEqual(['answered']);
  });

  it('waits for a push: a response is not over in the middle of a write', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 300 });
    rig.session.ack();
    rig.session.respond(1_460, false);
    expect(rig.session.sent).toBe('one');
    rig.session.respond(10);
    expect(rig.session.sent).toBe('onetwo');
  });

  it('takes a push and a short quiet for the end of a response shorter than the one online', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 300 });
    rig.session.answer(20);
    rig.pass(6);
    rig.session.respond(20);
    rig.pass(9);
    expect(rig.session.sent).toBe('one');
    rig.pass(2);
    expect(rig.session.sent).toBe('onetwo');
  });

  it('takes a long quiet for the end of a response without a push', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 300 });
    rig.session.ack();
    rig.session.respond(300, false);
    rig.pass(900);
    expect(rig.session.sent).toBe('one');
    rig.pass(200);
    expect(rig.session.sent).toBe('onetwo');
  });

  it('does not count an earlier turn towards a later one', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.answer(5_000);
    rig.push('two', { answers: 5_000 });
    rig.push('three', { answers: 10 });
    expect(rig.session.sent).toBe('onetwo');
    rig.pass(1_000);
    expect(rig.session.sent).toBe('onetwo');
    rig.session.answer(10);
    expect(rig.session.sent).toBe('onetwothree');
  });

  it('sends on at once what the client sent without waiting', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 0 });
    expect(rig.session.sent).toBe('onetwo');
  });

  it('waits for the greeting of a server that speaks first', () => {
    const rig = new ReplicaRig();
    rig.replica.openEarly();
    rig.push('login', { answers: 80 });
    expect(rig.session.sent).toBe('');
    expect(rig.busyReplicas).toBe(1);
    rig.session.respond(80);
    expect(rig.session.sent).toBe('login');
  });

  it('is not done when told to', () => {
    const rig = new ReplicaRig({ waitsForResponse: false });
    rig.push('one');
    rig.push('two', { answers: 300 });
    expect(rig.session.sent).toBe('onetwo');
  });

  it('keeps the pieces of a held unit together and in order', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 1 });
    rig.more('-2b');
    rig.push('three', { answers: 1 });
    rig.more('-3b');
    expect(rig.budget.used).toBe(14);
    rig.session.answer();
    rig.more('-3c');
    expect(rig.session.sent).toBe('onetwo-2b');
    rig.session.answer();
    expect(rig.session.sent).toBe('onetwo-2bthree-3b-3c');
    rig.more('-3d');
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    expect(rig.session.sent).toBe('onetwo-2bthree-3b-3c-3d');
    rig.expectDone('answered', 'answered', 'answered');
  });
});

describe('a session that takes no more for now', () => {
  it('gets the rest when it has room, in order', () => {
    const rig = new ReplicaRig();
    rig.target.room = 4;
    rig.push('abcdef');
    rig.more('gh');
    expect(rig.session.sent).toBe('abcd');
    expect(rig.budget.used).toBe(4);
    rig.session.makeRoom(1);
    rig.more('ij');
    rig.session.makeRoom(100);
    expect(rig.session.sent).toBe('abcdefghij');
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered');
  });

  it('gets no part of the next unit before the rest of this one', () => {
    const rig = new ReplicaRig();
    rig.target.room = 2;
    rig.push('abc');
    rig.push('def');
    rig.session.makeRoom(3);
    expect(rig.session.sent).toBe('abcde');
    rig.session.answer();
    // 'abc' is delivered; of 'def' a part is on its way.
    expect(rig.settled).toEqual(['answered']);
    rig.session.makeRoom(9);
    expect(rig.session.sent).toBe('abcdef');
  });

  it('is tried again when nothing of it is under way that could make room', () => {
    const rig = new ReplicaRig();
    rig.target.room = 0;
    rig.push('abc');
    rig.session.room = 9;
    rig.pass(20);
    expect(rig.session.sent).toBe('abc');
  });

  it('does not lose its turn to a unit that never got in', () => {
    const rig = new ReplicaRig({ budget: 3 });
    rig.push('one');
    rig.session.answer(10);
    rig.session.room = 0;
    rig.push('two', { answers: 10 });
    rig.more('too much');
    expect(rig.settled).toEqual(['answered', 'memory-cap']);
    rig.session.room = 100;
    rig.push('three', { answers: 10 });
    expect(rig.session.sent).toBe('onethree');
  });

  it('makes the replica crowded, and no longer when it is done', () => {
    const rig = new ReplicaRig();
    rig.target.room = 0;
    rig.push('x'.repeat(QUEUE_LIMIT / 4));
    expect(rig.crowdedReplicas).toBe(0);
    rig.more('x');
    expect(rig.crowdedReplicas).toBe(1);
    rig.session.makeRoom(1);
    expect(rig.crowdedReplicas).toBe(0);
    rig.more('xx');
    expect(rig.crowdedReplicas).toBe(1);
    rig.replica.stop('shutdown');
    rig.expectDone('shutdown');
  });
});

describe('a session that ends', () => {
  it.each([
    ['refused', 'refused'],
    ['reset', 'reset'],
    ['timed-out', 'timed-out'],
    ['send-failed', 'send-failed'],
    ['closed', 'reset'],
  ] as const)('%s before anything is acknowledged', (end, bucket) => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.end(end);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone(bucket);
    expect(rig.ledger.bytesDelivered).toBe(0);
  });

  it.each([
    ['reset', 'reset'],
    ['timed-out', 'unanswered'],
    ['closed', 'unanswered'],
  ] as const)('%s after all is acknowledged, but nothing answered', (end, bucket) => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.ack();
    rig.session.end(end);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone(bucket);
  });

  it.each(['reset', 'timed-out', 'closed', 'send-failed'] as const)('%s after an answer', (end) => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.answer();
    rig.session.end(end);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered');
  });

  it('after part of a unit was acknowledged: that unit was not delivered', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two');
    rig.session.ack(5);
    rig.session.end('closed');
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('unanswered', 'reset');
  });

  it('takes what it was given along, and the next unit opens a fresh one', () => {
    const rig = new ReplicaRig();
    rig.target.room = 2;
    rig.push('one');
    rig.push('two');
    rig.push('three', { answers: 4 });
    rig.session.end('reset');
    expect(rig.settled).toEqual(['reset']);
    const [first, second, ...others] = rig.target.sessions;
    expect(first!.sent).toBe('on');
    expect(second!.sent).toBe('tw');
    expect(others).toEqual([]);
    second!.makeRoom(1);
    second!.answer(4);
    second!.makeRoom(5);
    second!.answer();
    rig.replica.clientEnded('fin', 1);
    expect(second!.sent).toBe('twothree');
    rig.expectDone('reset', 'answered', 'answered');
  });

  it('in the middle of a unit: the rest of that unit goes nowhere', () => {
    const rig = new ReplicaRig();
    rig.push('begin');
    rig.session.end('reset');
    rig.more('middle');
    rig.more('end');
    expect(rig.target.sessions).toHaveLength(1);
    expect(rig.settled).toEqual(['reset']);
    rig.push('next', { answers: 2 });
    expect(rig.session.sent).toBe('next');
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('reset', 'answered');
  });

  it('after a unit that seemed whole: what follows of it is counted as lost, once', () => {
    const rig = new ReplicaRig();
    rig.push('GET /1');
    rig.session.answer();
    rig.session.fin();
    rig.session.end('closed');
    expect(rig.settled).toEqual(['answered']);
    rig.more('GET /2, pipelined');
    rig.more('GET /3, pipelined');
    expect(rig.settled).toEqual(['answered', 'reset']);
    rig.push('GET /4', { answers: 9 });
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered', 'reset', 'answered');
  });

  it('is opened again at most once a unit', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    for (let i = 0; i < 5; i++) rig.push(`unit ${i}`, { answers: 1 });
    for (let i = 0; i < 6; i++) rig.session.end('refused');
    expect(rig.target.sessions).toHaveLength(6);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone(...(Array(6).fill('refused') as 'refused'[]));
  });
});

describe('a target that closes', () => {
  it('an idle session: it is closed, and the next unit opens a fresh one', () => {
    const rig = new ReplicaRig();
    rig.push('one', { last: true });
    rig.session.answer();
    rig.session.fin();
    expect(rig.session.state).toBe('closing');
    rig.session.end('closed');
    expect(rig.busyReplicas).toBe(0);
    rig.push('two', { answers: 1 });
    expect(rig.target.sessions).toHaveLength(2);
    expect(rig.session.sent).toBe('two');
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered', 'answered');
  });

  it('while a unit waits: it goes into a fresh session once the old one is over', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.answer();
    rig.session.fin();
    rig.push('two', { answers: 1 });
    rig.more('+');
    expect(rig.target.sessions).toHaveLength(1);
    rig.session.end('closed');
    expect(rig.settled).toEqual(['answered']);
    expect(rig.session.sent).toBe('two+');
  });

  it('right after its answer', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.replica.clientEnded('fin', 1);
    rig.session.ack();
    rig.session.respond(5);
    expect(rig.session.state).toBe('closing');
    rig.session.fin();
    rig.session.end('closed');
    rig.expectDone('answered');
  });

  it('without an answer', () => {
    const rig = new ReplicaRig();
    rig.push('one', { last: true });
    rig.session.ack();
    rig.session.fin();
    rig.session.end('closed');
    rig.replica.clientEnded('fin', 0);
    rig.expectDone('unanswered');
  });

  it('in the middle of a unit: the rest of it is still sent before our side is closed', () => {
    const rig = new ReplicaRig();
    rig.target.room = 3;
    rig.push('abcdef', { last: true });
    rig.push('next', { answers: 1 });
    rig.session.ack();
    rig.session.respond(1);
    rig.session.fin();
    expect(rig.session.state).toBe('open');
    rig.session.makeRoom(10);
    expect(rig.session.sent).toBe('abcdef');
    expect(rig.session.state).toBe('closing');
    rig.session.ack();
    rig.session.end('closed');
    expect(rig.session.sent).toBe('nex');
    expect(rig.settled).toEqual(['answered']);
  });
});

describe('a client that ends', () => {
  it('with FIN after the last answer: the session is closed then, not before', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.replica.clientEnded('fin', 1);
    expect(rig.session.state).toBe('open');
    rig.session.ack();
    expect(rig.session.state).toBe('open');
    rig.session.respond(1);
    expect(rig.session.state).toBe('closing');
    rig.expectDone('answered');
  });

  it('with FIN right after its last unit: our side is closed at once, and the answer still counts', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.replica.clientEnded('fin', 0);
    expect(rig.session.state).toBe('closing');
    expect(rig.done).toBe(0);
    rig.session.answer();
    rig.expectDone('answered');
  });

  it('with FIN while its last unit is held: that unit is sent first', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 1 });
    rig.replica.clientEnded('fin', 0);
    expect(rig.session.state).toBe('open');
    rig.session.answer();
    expect(rig.session.sent).toBe('onetwo');
    expect(rig.session.state).toBe('closing');
    rig.session.ack();
    rig.session.end('closed');
    rig.expectDone('answered', 'unanswered');
  });

  it('with RST: the session is reset once everything is answered', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 1 });
    rig.replica.clientEnded('rst', 1);
    rig.session.answer();
    expect(rig.session.state).toBe('open');
    rig.session.answer();
    expect(rig.session.state).toBe('aborted');
    rig.expectDone('answered', 'answered');
  });

  it('with RST and nothing outstanding: the session is reset at once', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.answer();
    rig.replica.clientEnded('rst', 1);
    expect(rig.session.state).toBe('aborted');
    rig.expectDone('answered');
  });

  it('out of sight: the session is closed when everything is answered', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.replica.clientEnded('gone', 1);
    expect(rig.session.state).toBe('open');
    rig.session.answer();
    expect(rig.session.state).toBe('closing');
    rig.expectDone('answered');
  });

  it('more than once: the first time counts', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.replica.clientEnded('fin', 1);
    rig.replica.clientEnded('rst', 1);
    rig.session.answer();
    expect(rig.session.state).toBe('closing');
    rig.expectDone('answered');
  });

  it('while the target closes too', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.answer();
    rig.session.fin();
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered');
    rig.session.end('closed');
    rig.expectDone('answered');
  });
});

describe('no session to be had', () => {
  it.each(['no-lease', 'no-intercept', 'session-cap', 'memory-cap'] as const)('%s', (failure) => {
    const rig = new ReplicaRig();
    rig.target.failure = failure;
    rig.replica.openEarly();
    rig.push('one');
    rig.more('+');
    rig.push('two', { answers: 1 });
    expect(rig.settled).toEqual([failure, failure]);
    expect(rig.busyReplicas).toBe(0);
    rig.target.failure = undefined;
    rig.more('+');
    expect(rig.target.sessions).toEqual([]);
    rig.push('three', { answers: 1 });
    expect(rig.session.sent).toBe('three');
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    rig.expectDone(failure, failure, 'answered');
  });

  it('after the one before has died: all that waited is settled so', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 1 });
    rig.push('three', { answers: 1 });
    rig.target.failure = 'no-lease';
    rig.session.end('reset');
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('reset', 'no-lease', 'no-lease');
  });
});

describe('a unit of use in the session before it only', () => {
  const TUNNEL = { answers: 1, last: true, sameSession: true } as const;

  it('goes there, and the next ones too', () => {
    const rig = new ReplicaRig();
    rig.push('CONNECT', { last: true });
    rig.session.answer();
    rig.push('one', TUNNEL);
    rig.session.answer();
    rig.push('two', TUNNEL);
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    expect(rig.session.sent).toBe('CONNECTonetwo');
    rig.expectDone('answered', 'answered', 'answered');
  });

  it.each([
    ['closed', 'reset'],
    ['reset', 'reset'],
    ['timed-out', 'timed-out'],
  ] as const)('gets no fresh session when that one is over (%s)', (end, bucket) => {
    const rig = new ReplicaRig();
    rig.push('CONNECT', { last: true });
    rig.session.answer();
    rig.push('one', TUNNEL);
    // One waits for its turn when the session ends, one comes when it is over.
    rig.push('two', { ...TUNNEL, answers: 500 });
    rig.session.answer();
    rig.session.end(end);
    rig.push('thr', { ...TUNNEL, last: false });
    rig.more('ee', { last: true });
    expect(rig.target.sessions.map(({ sent }) => sent)).toEqual(['CONNECTone']);
    expect(rig.settled.slice(-2)).toEqual([bucket, bucket]);
    rig.push('GET', { last: true });
    rig.push('four', TUNNEL);
    rig.session.answer();
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    expect(rig.session.sent).toBe('GETfour');
    rig.expectDone('answered', 'answered', bucket, bucket, 'answered', 'answered');
  });

  it('waits for a session that is closing, and does not go after that', () => {
    const rig = new ReplicaRig();
    rig.push('CONNECT', { last: true });
    rig.session.answer();
    rig.session.fin();
    rig.push('one', TUNNEL);
    expect(rig.settled).toEqual(['answered']);
    rig.session.end('closed');
    rig.replica.clientEnded('fin', 1);
    expect(rig.target.sessions.map(({ sent }) => sent)).toEqual(['CONNECT']);
    rig.expectDone('answered', 'reset');
  });

  it.each([true, false])('is lost with the one before it that the capture broke (part of it sent: %s)', (sent) => {
    const rig = new ReplicaRig();
    rig.push('CONNECT', { last: true });
    if (sent) rig.session.answer();
    rig.push('on', { ...TUNNEL, last: false });
    rig.replica.breakUnit('kernel-drop');
    rig.push('two', TUNNEL);
    rig.session.answer();
    rig.push('three', TUNNEL);
    expect(rig.target.sessions.map((session) => session.sent)).toEqual([sent ? 'CONNECTon' : 'CONNECT']);
    rig.replica.clientEnded('fin', 1);
    expect(rig.buckets).toEqual({ answered: 1, 'kernel-drop': 3 });
    rig.expectIdle();
  });

  it('is lost with one before it that was left out, or lost between messages', () => {
    const rig = new ReplicaRig();
    rig.push('GET', { last: true });
    rig.session.answer();
    rig.replica.skip('sampled-out');
    rig.push('one', TUNNEL);
    rig.push('CONNECT', { answers: 1, last: true });
    rig.session.answer();
    rig.replica.sever('capture-gap');
    rig.push('two', TUNNEL);
    rig.replica.clientEnded('fin', 1);
    expect(rig.session.sent).toBe('GETCONNECT');
    rig.expectDone('answered', 'sampled-out', 'answered', 'capture-gap');
  });

  it('is lost with one before it for which there was no session', () => {
    const rig = new ReplicaRig();
    rig.target.failure = 'no-lease';
    rig.push('CONNECT', { last: true });
    rig.target.failure = undefined;
    rig.push('one', TUNNEL);
    rig.replica.clientEnded('fin', 1);
    expect(rig.target.sessions).toEqual([]);
    rig.expectDone('no-lease', 'no-lease');
  });
});

describe('a unit that the capture broke', () => {
  it('before any of it was sent: it alone is lost', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 1 });
    rig.more('+');
    rig.replica.breakUnit('capture-gap');
    rig.more('never');
    expect(rig.settled).toEqual(['capture-gap']);
    expect(rig.session.state).toBe('open');
    rig.session.answer();
    rig.push('three', { answers: 1 });
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    expect(rig.session.sent).toBe('onethree');
    rig.expectDone('capture-gap', 'answered', 'answered');
  });

  it('after part of it was sent: its session is reset, and what comes next goes into a fresh one', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('tw');
    rig.replica.breakUnit('kernel-drop');
    rig.push('three');
    rig.session.ack();
    // The first has no answer yet.
    expect(rig.session.state).toBe('open');
    rig.session.respond(1);
    expect(rig.settled).toEqual(['answered', 'kernel-drop']);
    expect(rig.target.sessions.map(({ sent, state }) => [sent, state])).toEqual([
      ['onetw', 'aborted'],
      ['three', 'open'],
    ]);
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered', 'kernel-drop', 'answered');
  });

  it('after part of it was sent, and not answered when it has arrived', () => {
    const rig = new ReplicaRig();
    rig.push('one', { last: true });
    rig.session.answer();
    rig.push('tw', { answers: 1 });
    rig.replica.breakUnit('kernel-drop');
    expect(rig.session.state).toBe('open');
    rig.session.ack();
    expect(rig.session.state).toBe('aborted');
    expect(rig.settled).toEqual(['answered', 'kernel-drop']);
    expect(rig.busyReplicas).toBe(0);
    expect(rig.wheel.size).toBe(0);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered', 'kernel-drop');
  });

  it.each(['fin', 'rst', 'gone'] as const)('before the client ended (%s): its session is reset, not closed', (end) => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.replica.breakUnit('capture-gap');
    rig.replica.clientEnded(end, 0);
    expect(rig.session.state).toBe('open');
    rig.session.ack();
    expect(rig.session.state).toBe('aborted');
    rig.expectDone('capture-gap');
  });

  it('and that the target never takes: it does not wait for ever', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.replica.breakUnit('capture-gap');
    rig.push('two', { answers: 1 });
    rig.pass(30_000);
    expect(rig.settled).toEqual(['capture-gap']);
    expect(rig.target.sessions.map((s) => s.sent)).toEqual(['one', 'two']);
  });

  it.each(['reset', 'closed'] as const)('whose session ends (%s): it is counted as broken all the same', (end) => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.replica.breakUnit('capture-gap');
    rig.session.end(end);
    rig.replica.clientEnded('fin', 0);
    rig.expectDone('capture-gap');
  });

  it('in a recording: it is sent as far as it goes, also when it has to wait for its turn', () => {
    const rig = new ReplicaRig({ repeatable: true });
    rig.push('one');
    rig.push('two', { answers: 1 });
    rig.more('+');
    rig.replica.breakUnit('capture-gap');
    rig.more('never');
    rig.push('three', { answers: 1 });
    expect(rig.session.sent).toBe('one');
    rig.session.answer();
    rig.pass(20);
    expect(rig.session.sent).toBe('onetwo+');
    rig.session.ack();
    expect(rig.target.sessions.map((s) => s.sent)).toEqual(['onetwo+', 'three']);
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered', 'capture-gap', 'answered');
  });

  it('while part of it waits for room', () => {
    const rig = new ReplicaRig();
    rig.target.room = 2;
    rig.push('abcdef');
    rig.replica.breakUnit('capture-gap');
    rig.replica.clientEnded('gone', 1);
    expect(rig.session.state).toBe('open');
    rig.session.makeRoom(4);
    rig.session.ack();
    expect(rig.session).toMatchObject({ sent: 'abcdef', state: 'aborted' });
    rig.expectDone('capture-gap');
  });

  it('after the target has answered it: it had all of it, what is missing was the next', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.answer();
    rig.replica.breakUnit('capture-gap');
    expect(rig.settled).toEqual(['answered']);
    expect(rig.session.state).toBe('aborted');
  });

  it('after the target has answered it, in a recording: that is left out of account, as it might have been late', () => {
    const rig = new ReplicaRig({ repeatable: true });
    rig.push('one');
    rig.session.answer();
    rig.replica.breakUnit('capture-gap');
    expect(rig.settled).toEqual(['capture-gap']);
    expect(rig.session.state).toBe('aborted');
  });

  it('between units: nothing is lost', () => {
    const rig = new ReplicaRig();
    rig.push('one', { last: true });
    rig.replica.breakUnit('capture-gap');
    expect(rig.settled).toEqual([]);
    expect(rig.session.state).toBe('open');
  });

  it('before there was any', () => {
    const rig = new ReplicaRig();
    rig.replica.breakUnit('capture-gap');
    rig.more('rest');
    rig.replica.clientEnded('fin', 1);
    rig.expectDone();
  });
});

describe('a unit that is skipped', () => {
  it('before any other leaves nothing to wait for', () => {
    const rig = new ReplicaRig();
    rig.replica.openEarly();
    rig.replica.skip('filtered');
    rig.push('next', { answers: 100 });
    expect(rig.session.sent).toBe('next');
    rig.session.ack();
    rig.push('after', { answers: 100 });
    expect(rig.session.sent).toBe('next');
    rig.session.respond(100);
    expect(rig.session.sent).toBe('nextafter');
  });

  it('ends the one before, and its pieces go nowhere', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.answer();
    rig.replica.skip('filtered');
    expect(rig.settled).toEqual(['answered']);
    rig.more('skipped');
    rig.push('three', { answers: 1 });
    expect(rig.session.sent).toBe('onethree');
  });
});

describe('caps', () => {
  it('of the queue: a unit that does not fit is lost alone', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('x'.repeat(QUEUE_LIMIT), { answers: 1 });
    rig.push('two', { answers: 1 });
    rig.more('and its rest');
    expect(rig.settled).toEqual(['queue-cap']);
    rig.session.answer();
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    expect(rig.session.sent).toHaveLength(3 + QUEUE_LIMIT);
    rig.expectDone('queue-cap', 'answered', 'answered');
  });

  it('of the queue, within a unit already being sent: its session is reset', () => {
    const rig = new ReplicaRig();
    rig.target.room = 10;
    rig.push('y'.repeat(QUEUE_LIMIT));
    rig.more('z'.repeat(11));
    expect(rig.session.state).toBe('aborted');
    rig.more('never');
    rig.push('two', { answers: 1 });
    expect(rig.session.sent).toBe('two');
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('queue-cap', 'answered');
  });

  it('of memory: a unit cut off by them was not answered, whatever the target said meanwhile', () => {
    const rig = new ReplicaRig({ budget: 0 });
    rig.push('POST, expecting 100');
    rig.session.answer(25);
    rig.session.room = 0;
    rig.more('body');
    expect(rig.session.state).toBe('aborted');
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('memory-cap');
  });
});

describe('patience', () => {
  it('is not lost while a unit is held back, and its session stays', () => {
    const rig = new ReplicaRig({ patience: seconds(100), heldPatience: seconds(30) });
    rig.push('first', { last: true });
    rig.session.answer();
    rig.replica.push(piece('second', { last: true }), seconds(400));
    rig.pass(399_999);
    expect([rig.session.sent, rig.session.state]).toEqual(['first', 'open']);
    rig.pass(1);
    expect(rig.session.sent).toBe('firstsecond');
    rig.pass(100_000);
    expect(rig.settled).toEqual(['answered', 'timed-out']);
  });

  it('ends for a response that does not come: the unit was delivered, unanswered', () => {
    const rig = new ReplicaRig({ patience: seconds(100) });
    rig.push('one');
    rig.session.ack();
    rig.pass(99_000);
    expect(rig.settled).toEqual([]);
    rig.pass(2_000);
    expect(rig.session.state).toBe('aborted');
    expect(rig.settled).toEqual(['unanswered']);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('unanswered');
  });

  it('ends for data that nobody acknowledges', () => {
    const rig = new ReplicaRig({ patience: seconds(100) });
    rig.push('one');
    rig.pass(101_000);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('timed-out');
  });

  it('is shorter once something waits behind', () => {
    const rig = new ReplicaRig({ patience: seconds(100), heldPatience: seconds(30) });
    rig.push('one');
    rig.session.ack();
    rig.pass(20_000);
    rig.push('two', { answers: 1 });
    rig.pass(29_000);
    expect(rig.settled).toEqual([]);
    rig.pass(2_000);
    expect(rig.settled).toEqual(['unanswered']);
    expect(rig.session.sent).toBe('two');
    rig.session.answer();
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('unanswered', 'answered');
  });

  it('is shorter once the client is gone', () => {
    const rig = new ReplicaRig({ patience: seconds(100), heldPatience: seconds(30) });
    rig.push('one');
    rig.session.ack();
    rig.replica.clientEnded('gone', 1);
    rig.pass(31_000);
    rig.expectDone('unanswered');
  });

  it('begins again with every sign of life', () => {
    const rig = new ReplicaRig({ patience: seconds(10) });
    rig.target.room = 2;
    rig.push('abcdef');
    for (let i = 0; i < 4; i++) {
      rig.pass(8_000);
      rig.session.makeRoom(1);
    }
    rig.pass(8_000);
    rig.session.ack();
    rig.pass(8_000);
    rig.session.respond(1, false);
    rig.pass(60_000);
    expect(rig.session.state).toBe('open');
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered');
  });

  it('is not needed while nothing is outstanding', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.answer();
    rig.pass(10_000_000);
    expect(rig.session.state).toBe('open');
  });

  it('ends for a greeting that does not come: the unit goes out in a fresh session', () => {
    const rig = new ReplicaRig({ heldPatience: seconds(10) });
    rig.replica.openEarly();
    rig.push('login', { answers: 80 });
    rig.pass(11_000);
    expect(rig.target.sessions.map((s) => [s.state, s.sent])).toEqual([
      ['aborted', ''],
      ['open', 'login'],
    ]);
  });

  it('ends for a session that will not close', () => {
    const rig = new ReplicaRig({ heldPatience: seconds(10) });
    rig.push('one');
    rig.session.answer();
    rig.session.fin();
    rig.push('two', { answers: 1 });
    rig.pass(11_000);
    expect(rig.target.sessions.map((s) => s.state)).toEqual(['aborted', 'open']);
    expect(rig.session.sent).toBe('two');
  });
});

describe('a dry run, in which nobody responds', () => {
  const dryRun = { waitsForResponse: false, expectsResponses: false };

  it('is done with a unit when it is acknowledged, and closes in order', () => {
    const rig = new ReplicaRig(dryRun);
    rig.push('one');
    rig.push('two', { answers: 100 });
    rig.replica.clientEnded('fin', 1);
    expect(rig.session.sent).toBe('onetwo');
    rig.session.ack();
    expect(rig.session.state).toBe('closing');
    rig.expectDone('unanswered', 'unanswered');
  });

  it('waits for nothing once the open unit is acknowledged', () => {
    const rig = new ReplicaRig(dryRun);
    rig.push('one');
    expect(rig.busyReplicas).toBe(1);
    rig.session.ack();
    expect(rig.busyReplicas).toBe(0);
    expect(rig.wheel.size).toBe(0);
  });
});

describe('stop', () => {
  it('settles what is left and resets the session', () => {
    const rig = new ReplicaRig();
    rig.target.room = 5;
    rig.push('one', { last: true });
    rig.session.ack();
    rig.push('two');
    rig.push('three', { answers: 1 });
    rig.replica.stop('shutdown');
    expect(rig.session.state).toBe('aborted');
    // The target has the first; the others never got through.
    rig.expectDone('unanswered', 'shutdown', 'shutdown');
  });

  it('counts what is answered already as that', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.session.answer();
    rig.replica.stop('shutdown');
    rig.expectDone('answered');
  });

  it('is the end: nothing that comes later opens or settles anything', () => {
    const rig = new ReplicaRig();
    rig.replica.stop('shutdown');
    rig.replica.stop('shutdown');
    rig.push('late');
    rig.more('later');
    rig.replica.breakUnit('capture-gap');
    rig.replica.clientEnded('fin', 1);
    rig.expectDone();
    expect(rig.target.sessions).toEqual([]);
    expect(rig.ledger.unitsOpened).toBe(0);
  });
});
