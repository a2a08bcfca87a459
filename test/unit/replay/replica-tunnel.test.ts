import { describe, expect, it } from 'vitest';
import { ReplicaRig } from './replay-rig.ts';

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
    rig.replica.breakUnit('kernel-drop', true);
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
