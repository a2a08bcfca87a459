import { describe, expect, it } from 'vitest';
import { Capture } from './captured-connection.ts';

describe('a connection that was open already', () => {
  it('is picked up at the first data after a response', () => {
    const capture = new Capture({ openedBy: 'midstream' });
    capture.data('rest of a request').data('more of it');
    expect(capture.target.sessions).toEqual([]);
    capture.sees(500).data('GET /2');
    expect(capture.streams).toEqual(['GET /2']);
    capture.answerAll().sees(1).ended();
    capture.expectSettled('partly-replayed', { answered: 1, 'not-picked-up': 1 });
  });

  it('is picked up at once when the client has seen a response since we began to look', () => {
    const capture = new Capture({ openedBy: 'midstream' });
    capture.sees(500).data('GET /2').answerAll().sees(1).ended();
    capture.expectSettled('replayed', { answered: 1 });
  });

  it('is not picked up when it never gets to a boundary', () => {
    const capture = new Capture({ openedBy: 'midstream', copies: 3 });
    capture.data('upload').data('upload').ended('gone');
    capture.expectSettled('not-picked-up', { 'not-picked-up': 3 });
  });
});

describe('a gap in the capture', () => {
  it('costs the message it is in; the next one follows after the next response', () => {
    const capture = new Capture();
    capture.data('GET /1').answerAll().sees(10).data('POST /2 beg');
    capture.replay.gap(1_000);
    capture.session.ack();
    expect(capture.session.state).toBe('aborted');
    expect(capture.replay.wantsAck).toBe(false);
    capture.data('end of it').data('more');
    expect(capture.target.sessions).toHaveLength(1);
    capture.sees(10).data('GET /3');
    expect(capture.streams).toEqual(['GET /1POST /2 beg', 'GET /3']);
    capture.answerAll().sees(10).ended();
    // The broken message, and the stretch after the gap, of which nobody knows how many messages it was.
    capture.expectSettled('partly-replayed', { answered: 2, 'capture-gap': 2 });
    expect(capture.ledger.bytesMissing).toBe(1_000);
  });

  it('does not take the rest of a lost message for the next one, however much the client had seen', () => {
    const capture = new Capture();
    capture.data('GET /1').answerAll();
    capture.sees(5_000);
    capture.replay.gap(1_460);
    // The client saw the response to /1 before it sent what is missing, and then this.
    capture.data('second half of POST /2');
    expect(capture.target.sessions).toHaveLength(1);
    expect(capture.streams).toEqual(['GET /1']);
  });

  it('before all else leaves nothing to wait for: the target was not asked what the client saw answered', () => {
    const capture = new Capture();
    capture.replay.gap(20);
    capture.data('rest of /1').sees(100).data('GET /2');
    expect(capture.streams).toEqual(['GET /2']);
    capture.answerAll().ended();
    capture.expectSettled('partly-replayed', { answered: 1, 'capture-gap': 1 });
  });

  it('between messages costs what is missing, not what was answered', () => {
    const capture = new Capture();
    capture.data('GET /1').answerAll();
    capture.replay.gap(20);
    capture.ended();
    capture.expectSettled('partly-replayed', { answered: 1, 'capture-gap': 1 });
  });

  it('is blamed on the kernel when the kernel dropped frames', () => {
    const capture = new Capture({ copies: 2 });
    capture.gap = 'kernel-drop';
    capture.data('GET /1');
    capture.replay.gap(20);
    capture.ended();
    for (const session of capture.target.sessions) session.ack();
    capture.expectSettled('kernel-drop', { 'kernel-drop': 4 });
  });

  it('after another, with nothing between that could be read, is one stretch', () => {
    const capture = new Capture();
    capture.replay.gap(20);
    capture.data('noise');
    capture.replay.gap(20);
    capture.ended('gone');
    capture.expectSettled('capture-gap', { 'capture-gap': 1 });
  });
});
