import { describe, expect, it, vi } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { QUEUE_LIMIT, ReplicaRig } from './replay-rig.ts';

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
    rig.pass(1_200);
    rig.expectDone('answered', 'answered', 'answered');
    expect(rig.session.state).toBe('closing');
    const alone = new ReplicaRig({ waitsForResponse: false });
    alone.push('one', { last: true });
    alone.session.answer(100);
    alone.push('two', { answers: 100, last: true });
    alone.replica.clientEnded('fin', 100);
    alone.session.answer(1);
    alone.expectDone('answered', 'answered');
  });

  it('waits longer for those while the target answers others, but not for ever, nor when sessions are many', () => {
    const pipelined = (rig: ReplicaRig): void => {
      rig.push('one', { last: true });
      rig.push('two', { answers: 100, last: true });
      rig.replica.clientEnded('fin', 100);
      rig.session.answer(500);
    };
    const passBusily = (rig: ReplicaRig, seconds: number): void => {
      for (let n = 0; n < seconds * 2; n++) {
        rig.target.heard++;
        rig.pass(500);
      }
    };
    const rig = new ReplicaRig({ waitsForResponse: false, heldPatience: seconds(5) });
    pipelined(rig);
    passBusily(rig, 15);
    expect(rig.session.state).toBe('open');
    passBusily(rig, 10);
    rig.expectDone('answered', 'answered');
    const crowded = new ReplicaRig({ waitsForResponse: false });
    pipelined(crowded);
    vi.spyOn(crowded.target, 'openSessions', 'get').mockReturnValue(5_000);
    passBusily(crowded, 2);
    crowded.expectDone('answered', 'answered');
  });

  it('gives the last of them its time from when it was sent, however long that took', () => {
    const rig = new ReplicaRig({ waitsForResponse: false, heldPatience: seconds(5) });
    rig.target.room = 6;
    rig.push('one', { last: true });
    rig.push('two', { answers: 100, last: true });
    rig.push('three', { answers: 100, last: true });
    rig.replica.clientEnded('fin', 0);
    for (let n = 0; n < 4; n++) {
      rig.session.ack();
      rig.session.respond(10);
      rig.pass(4_000);
    }
    rig.session.makeRoom(100);
    rig.session.ack();
    rig.pass(4_000);
    expect(rig.session.state).toBe('open');
    rig.pass(2_000);
    expect(rig.session.state).not.toBe('open');
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
