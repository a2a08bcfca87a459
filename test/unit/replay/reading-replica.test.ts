/** A replica that reads the target's responses: what it holds back, and when a request counts as answered. */
import { describe, expect, it } from 'vitest';
import { millis, seconds } from '../../../src/core/time.ts';
import { lineReading } from './line-reader.ts';
import { ReplicaRig, type RigOptions } from './replay-rig.ts';

function readingRig(options: RigOptions = {}): ReplicaRig {
  return new ReplicaRig({ reading: lineReading(), ...options });
}

describe('pacing by responses that are read', () => {
  it('holds a request until the response to the one before is whole, however long it is quiet', () => {
    const rig = readingRig();
    rig.push('a', { last: true });
    rig.push('b', { last: true, answers: 3 });
    rig.session.ack();
    rig.session.say('-1\n');
    rig.pass(20_000);
    rig.session.say('-22');
    expect(rig.session.sent).toBe('a');
    rig.session.say('\n+3');
    rig.pass(20_000);
    expect([rig.session.sent, rig.settled]).toEqual(['a', []]);
    rig.session.say('\n');
    expect([rig.session.sent, rig.settled, rig.read]).toEqual(['ab', ['answered'], ['-1', '-22', '+3']]);
  });

  it('lets what the client pipelined go at once, and what came after a response wait for all', () => {
    const rig = readingRig();
    rig.push('a', { last: true });
    rig.push('b', { last: true });
    rig.push('c', { last: true, answers: 3 });
    rig.session.ack();
    expect(rig.session.sent).toBe('ab');
    rig.session.say('+1\n');
    expect([rig.session.sent, rig.settled]).toEqual(['ab', ['answered']]);
    rig.session.say('+2\n');
    expect([rig.session.sent, rig.settled]).toEqual(['abc', ['answered', 'answered']]);
  });

  it('does not wait where a request gets no response', () => {
    const rig = readingRig();
    rig.push('quit', { last: true });
    rig.push('b', { last: true, answers: 3 });
    rig.session.ack();
    expect([rig.session.sent, rig.settled]).toEqual(['quitb', ['answered']]);
  });

  it('takes a response that comes before the request is complete', () => {
    const rig = readingRig();
    rig.push('a');
    rig.session.ack();
    rig.session.say('+early\n');
    expect(rig.settled).toEqual([]);
    rig.more('rest', { last: true });
    rig.session.ack();
    expect(rig.settled).toEqual(['answered']);
  });

  it('gives up a response that never ends', () => {
    const rig = readingRig({ heldPatience: seconds(30) });
    rig.push('a', { last: true });
    rig.push('b', { last: true, answers: 3 });
    rig.session.ack();
    rig.session.say('-1\n');
    rig.pass(30_000);
    expect([rig.target.sessions.length, rig.session.sent, rig.settled]).toEqual([2, 'b', ['unanswered']]);
  });

  it('does not follow a response without end once the client has gone', () => {
    const rig = readingRig({ heldPatience: millis(500) });
    rig.push('a', { last: true });
    rig.session.ack();
    rig.session.say('-1\n');
    rig.replica.clientEnded('fin', 1);
    for (let i = 0; i < 10; i++) {
      if (!rig.session.over) rig.session.say('-more\n');
      rig.pass(100);
    }
    rig.expectDone('unanswered');
  });
});

describe('the end of a session', () => {
  it('ends a response that goes on until then', () => {
    const rig = readingRig();
    rig.push('a', { last: true });
    rig.session.ack();
    rig.session.say('+till the end');
    expect(rig.settled).toEqual([]);
    rig.session.fin();
    expect([rig.settled, rig.read]).toEqual([['answered'], ['+till the end']]);
  });

  it('leaves half a response unanswered', () => {
    const rig = readingRig();
    rig.push('a', { last: true });
    rig.session.ack();
    rig.session.say('-half');
    rig.session.fin();
    rig.session.end('closed');
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('unanswered');
    expect(rig.exchanges).toEqual([
      { request: 'a', target: undefined, targetTime: undefined, online: undefined, onlineTime: undefined },
    ]);
  });

  it('announced by the target sends the next request into a fresh one', () => {
    const rig = readingRig();
    rig.push('a', { last: true });
    rig.session.ack();
    rig.session.say('+bye\n');
    expect(rig.session.state).toBe('closing');
    rig.push('b', { last: true, answers: 3 });
    expect(rig.target.sessions.map((s) => s.sent)).toEqual(['a']);
    rig.session.end('closed');
    expect(rig.target.sessions.map((s) => s.sent)).toEqual(['a', 'b']);
    rig.session.ack();
    rig.session.say('+2\n');
    expect(rig.settled).toEqual(['answered', 'answered']);
  });

  it('begins the reading anew', () => {
    const rig = readingRig();
    rig.push('a', { last: true });
    rig.session.ack();
    rig.session.say('?\n');
    expect(rig.settled).toEqual(['answered']);
    rig.session.end('closed');
    rig.push('b', { last: true, answers: 3 });
    rig.session.ack();
    rig.session.say('-half');
    expect(rig.settled).toEqual(['answered']);
    rig.session.say('\n+whole\n');
    expect([rig.settled, rig.read]).toEqual([
      ['answered', 'answered'],
      ['-half', '+whole'],
    ]);
    expect(rig.ledger.sessionsUnread.toJSON()).toEqual({ 'not-understood': 1 });
  });
});

describe('what cannot be read', () => {
  it.each([
    ['bytes of no response', (rig: ReplicaRig) => rig.session.say('?\n'), { 'not-understood': 1 }],
    ['bytes that did not come along', (rig: ReplicaRig) => rig.session.respond(4), { cut: 1 }],
    ['a reader that fails', (rig: ReplicaRig) => rig.session.say('!\n'), { 'plugin-error': 1 }],
  ])('%s: the session goes on, judged by length and PSH', (_, respond, unread) => {
    const rig = readingRig();
    rig.push('a', { last: true });
    rig.push('b', { last: true, answers: 4 });
    rig.session.ack();
    respond(rig);
    rig.session.respond(4);
    rig.session.ack();
    expect(rig.session.sent).toBe('ab');
    rig.session.respond(1);
    expect([rig.settled, rig.read]).toEqual([['answered', 'answered'], []]);
    expect(rig.ledger.sessionsUnread.toJSON()).toEqual(unread);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered', 'answered');
  });
});

describe('a server that speaks first', () => {
  it('is read from its first byte, though the protocol is known later', () => {
    const rig = readingRig();
    rig.replica.openEarly();
    rig.session.say('-hel');
    rig.session.say('lo\n');
    expect(rig.read).toEqual([]);
    rig.push('a', { last: true, answers: 7 });
    expect([rig.session.sent, rig.read]).toEqual(['a', ['-hello']]);
    rig.session.ack();
    rig.session.say('+1\n');
    expect([rig.settled, rig.read]).toEqual([['answered'], ['-hello', '+1']]);
  });

  it('is not read where it said too much', () => {
    const rig = readingRig();
    rig.replica.openEarly();
    rig.session.say('-'.repeat(70_000));
    rig.push('a', { last: true, answers: 7 });
    rig.session.answer(1);
    expect([rig.settled, rig.read]).toEqual([['answered'], []]);
    expect(rig.ledger.sessionsUnread.toJSON()).toEqual({ cut: 1 });
  });
});

describe('an exchange', () => {
  it('is told once per request, with the time from its first byte to the end of the response', () => {
    const rig = readingRig();
    rig.push('a', { last: true });
    rig.push('b', { last: true });
    rig.session.ack();
    rig.pass(40);
    rig.session.say('-1\n');
    rig.pass(2);
    rig.session.say('+2\n+3\n');
    const none = { online: undefined, onlineTime: undefined };
    expect(rig.exchanges).toEqual([
      { request: 'a', target: '+2', targetTime: millis(42), ...none },
      { request: 'b', target: '+3', targetTime: millis(42), ...none },
    ]);
  });

  it('is told of requests that could not be sent', () => {
    const rig = readingRig();
    rig.target.failure = 'no-lease';
    rig.push('a', { last: true });
    expect(rig.exchanges).toMatchObject([{ request: 'a', target: undefined }]);
    expect(rig.settled).toEqual(['no-lease']);
  });
});
