import { describe, expect, it } from 'vitest';
import { seqAdd, seqNum } from '../../../src/core/seq-num.ts';
import type { FakeSession } from './replay-rig.ts';
import { Capture } from './captured-connection.ts';

describe('turns', () => {
  it('end where the client sends after seeing more of the server', () => {
    const capture = new Capture();
    capture.data('GET /1').data(' HTTP/1.1');
    expect(capture.streams).toEqual(['GET /1 HTTP/1.1']);
    capture.sees(10).data('GET /2');
    expect(capture.streams).toEqual(['GET /1 HTTP/1.1']);
    capture.answerAll();
    expect(capture.streams).toEqual(['GET /1 HTTP/1.1GET /2']);
    capture.answerAll().sees(10).ended();
    capture.expectSettled('replayed', { answered: 2 });
    expect(capture.ledger).toMatchObject({ bytesCaptured: 21, bytesDelivered: 21, sessionsOpened: 1 });
  });

  it('count what the client had seen, across the end of sequence space', () => {
    const capture = new Capture({ firstAck: seqNum(0xffff_fffc) });
    capture.data('one').sees(10).data('two');
    expect(capture.ack).toBe(6);
    capture.session.ack();
    capture.session.respond(9);
    expect(capture.streams).toEqual(['one']);
    capture.session.respond(1);
    expect(capture.streams).toEqual(['onetwo']);
  });

  it('do not end at a segment that carries an older ACK', () => {
    const capture = new Capture();
    capture.data('one').sees(100).data('two').data('+late', seqAdd(capture.ack, -50));
    capture.session.answer(100);
    expect(capture.streams).toEqual(['onetwo+late']);
    capture.sees(1).data('three');
    expect(capture.ledger.unitsOpened).toBe(3);
  });

  it('begin with the greeting, where the server speaks first', () => {
    const capture = new Capture();
    capture.sees(80).data('login');
    expect(capture.streams).toEqual(['']);
    capture.session.respond(80);
    expect(capture.streams).toEqual(['login']);
  });

  it('are counted from the first data where nothing is known of what came before', () => {
    const capture = new Capture({ firstAck: undefined });
    capture.data('one').sees(5).data('two');
    expect(capture.streams).toEqual(['one']);
    capture.session.answer(5);
    expect(capture.streams).toEqual(['onetwo']);
  });
});

describe('the session ahead of the first data', () => {
  it('is opened for a connection seen from its SYN', () => {
    expect(new Capture({ copies: 2 }).target.opened).toMatchObject([{ replica: 0 }, { replica: 1 }]);
  });

  it('is not opened for one picked up in the middle, nor for one that is not copied', () => {
    expect(new Capture({ openedBy: 'midstream' }).target.sessions).toEqual([]);
    expect(new Capture({ excluded: 'sampled-out' }).target.sessions).toEqual([]);
  });
});

describe('a connection that is not copied', () => {
  it.each(['sampled-out', 'filtered', 'not-picked-up'] as const)(
    '%s: counted as if copied, with no session',
    (excluded) => {
      const capture = new Capture({ excluded, copies: 3 });
      capture.data('one').sees(5).data('two').data('+').ended();
      capture.expectSettled(excluded, { [excluded]: 6 });
      expect(capture.target.sessions).toEqual([]);
    },
  );

  it('keeps its reason, gaps or not', () => {
    const capture = new Capture({ excluded: 'sampled-out', openedBy: 'midstream' });
    capture.data('rest').sees(1).data('one');
    capture.replay.gap(5);
    capture.ended('gone');
    capture.expectSettled('sampled-out', { 'sampled-out': 3 });
  });
});

describe('several copies', () => {
  it('each get everything, and each unit counts once a copy', () => {
    const capture = new Capture({ copies: 3 });
    capture.data('one').answerAll().sees(10).data('two').answerAll().sees(10).ended();
    expect(capture.streams).toEqual(['onetwo', 'onetwo', 'onetwo']);
    capture.expectSettled('replayed', { answered: 6 });
  });

  it('fare on their own, and the connection is settled with the last of them', () => {
    const capture = new Capture({ copies: 2 });
    const [first, second] = capture.target.sessions as [FakeSession, FakeSession];
    capture.data('one').sees(10).data('two');
    first.end('reset');
    second.answer(10);
    capture.ended();
    expect(capture.target.sessions.map((s) => s.sent)).toEqual(['one', 'onetwo', 'two']);
    second.answer(10);
    expect(capture.done).toBe(0);
    capture.session.answer(10);
    capture.expectSettled('partly-replayed', { answered: 3, reset: 1 });
  });
});

describe('the line of a connection in the ledger', () => {
  it('says so when there was no data', () => {
    const capture = new Capture();
    capture.ended();
    capture.expectSettled('no-data', {});
  });

  it.each(['refused', 'reset', 'timed-out', 'send-failed'] as const)('is %s when all of it was', (end) => {
    const capture = new Capture();
    capture.data('one');
    capture.session.end(end);
    capture.ended();
    capture.expectSettled(end, { [end]: 1 });
  });

  it.each(['no-lease', 'no-intercept', 'session-cap', 'memory-cap'] as const)(
    'is %s when no session could be had',
    (failure) => {
      const capture = new Capture({ openedBy: 'midstream' });
      capture.target.failure = failure;
      capture.sees(1).data('one').ended('rst');
      capture.expectSettled(failure, { [failure]: 1 });
    },
  );

  it('is shutdown for one that was cut off before anything was decided', () => {
    const capture = new Capture();
    capture.replay.stop('shutdown');
    capture.expectSettled('shutdown', {});
  });

  it('keeps what was delivered when the rest is cut off', () => {
    const capture = new Capture();
    capture.data('one').answerAll().sees(10).data('two');
    capture.replay.stop('shutdown');
    capture.expectSettled('partly-replayed', { answered: 1, shutdown: 1 });
  });

  it('is written once, whatever comes later', () => {
    const capture = new Capture();
    capture.data('one').answerAll().ended().ended('rst');
    capture.replay.stop('shutdown');
    capture.sees(1).data('late');
    capture.ended('gone');
    capture.expectSettled('replayed', { answered: 1 });
  });
});
