import { describe, expect, it } from 'vitest';
import { QUEUE_LIMIT, ReplicaRig } from './replay-rig.ts';

describe('a unit that the capture broke', () => {
  it('before any of it was sent: it alone is lost', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.push('two', { answers: 1 });
    rig.more('+');
    rig.replica.breakUnit('capture-gap', true);
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
    rig.replica.breakUnit('kernel-drop', true);
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
    rig.replica.breakUnit('kernel-drop', true);
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
    rig.replica.breakUnit('capture-gap', true);
    rig.replica.clientEnded(end, 0);
    expect(rig.session.state).toBe('open');
    rig.session.ack();
    expect(rig.session.state).toBe('aborted');
    rig.expectDone('capture-gap');
  });

  it('and that the target never takes: it does not wait for ever', () => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.replica.breakUnit('capture-gap', true);
    rig.push('two', { answers: 1 });
    rig.pass(30_000);
    expect(rig.settled).toEqual(['capture-gap']);
    expect(rig.target.sessions.map((s) => s.sent)).toEqual(['one', 'two']);
  });

  it.each(['reset', 'closed'] as const)('whose session ends (%s): it is counted as broken all the same', (end) => {
    const rig = new ReplicaRig();
    rig.push('one');
    rig.replica.breakUnit('capture-gap', true);
    rig.session.end(end);
    rig.replica.clientEnded('fin', 0);
    rig.expectDone('capture-gap');
  });

  it('in a recording: it is sent as far as it goes, also when it has to wait for its turn', () => {
    const rig = new ReplicaRig({ repeatable: true });
    rig.push('one');
    rig.push('two', { answers: 1 });
    rig.more('+');
    rig.replica.breakUnit('capture-gap', true);
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
    rig.replica.breakUnit('capture-gap', true);
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
    rig.replica.breakUnit('capture-gap', true);
    expect(rig.settled).toEqual(['answered']);
    expect(rig.session.state).toBe('aborted');
  });

  it('that is known to be incomplete, after the target has answered it early (413, 100 Continue): it is broken all the same', () => {
    const rig = new ReplicaRig();
    rig.push('half of a body');
    rig.session.answer();
    rig.replica.breakUnit('capture-gap', false);
    expect(rig.settled).toEqual(['capture-gap']);
    expect(rig.session.state).toBe('aborted');
  });

  it('after the target has answered it, in a recording: that is left out of account, as it might have been late', () => {
    const rig = new ReplicaRig({ repeatable: true });
    rig.push('one');
    rig.session.answer();
    rig.replica.breakUnit('capture-gap', true);
    expect(rig.settled).toEqual(['capture-gap']);
    expect(rig.session.state).toBe('aborted');
  });

  it('between units: nothing is lost', () => {
    const rig = new ReplicaRig();
    rig.push('one', { last: true });
    rig.replica.breakUnit('capture-gap', true);
    expect(rig.settled).toEqual([]);
    expect(rig.session.state).toBe('open');
  });

  it('before there was any', () => {
    const rig = new ReplicaRig();
    rig.replica.breakUnit('capture-gap', true);
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
