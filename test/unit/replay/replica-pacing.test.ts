import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { piece, ReplicaRig } from './replay-rig.ts';

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

  it('tells how long after each unit the response began', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 300 });
    rig.pass(40);
    rig.session.ack();
    rig.session.respond(200);
    rig.pass(5);
    rig.session.respond(100);
    expect(rig.responseTimes).toEqual([40]);
    rig.pass(7);
    rig.session.answer(10);
    expect(rig.responseTimes).toEqual([40, 7]);
  });

  it("the time for which more of a unit goes out is not the target's", () => {
    const rig = new ReplicaRig();
    rig.push('a large');
    rig.pass(500);
    rig.more(' body');
    rig.pass(3);
    rig.session.answer();
    expect(rig.responseTimes).toEqual([3]);
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
