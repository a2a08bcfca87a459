import { describe, expect, it } from 'vitest';
import { ReplicaRig } from './replay-rig.ts';

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
    rig.replica.breakUnit('capture-gap', true);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone();
    expect(rig.target.sessions).toEqual([]);
    expect(rig.ledger.unitsOpened).toBe(0);
  });
});
