import { describe, expect, it } from 'vitest';
import { CLIENT } from './replay-rig.ts';
import { Capture, text, settled } from './captured-connection.ts';

describe('a message that a plugin drops', () => {
  it('goes nowhere, whole; the next goes out', () => {
    const capture = new Capture({ copies: 2 });
    capture.data('one').answerAll();
    capture.sees(10).data('drop this').data('and this');
    capture.sees(10).data('three');
    expect(capture.streams).toEqual(['onethree', 'onethree']);
    capture.answerAll().sees(10).ended();
    capture.expectSettled('partly-replayed', { answered: 4, filtered: 2 });
  });
});

describe('plugins', () => {
  it('hear once of the end of a connection, after its last session', () => {
    const capture = new Capture({ copies: 2 });
    const ends: number[] = [];
    capture.pipeline.hooks.session.tap('test', ({ client }) => void ends.push(client.port));
    capture.data('one').ended();
    expect(ends).toEqual([]);
    capture.answerAll();
    expect(ends).toEqual([CLIENT.port]);
  });

  it('are asked once a message, and of its first piece', () => {
    const capture = new Capture();
    const asked: string[] = [];
    capture.pipeline.hooks.request.tap('count', ({ piece, protocol, connection }) => {
      asked.push(`${protocol} ${connection.server.port} ${text(piece.bytes, piece.offset, piece.length)}`);
      return undefined;
    });
    capture.data('one').data('+').sees(1).data('two');
    expect(asked).toEqual(['opaque 80 one', 'opaque 80 two']);
  });

  it('replace a message whole, however many pieces it has', () => {
    const capture = new Capture();
    capture.pipeline.hooks.request.tap('replace', (context) => {
      if (context.piece.answers === 0) context.replace(Buffer.from('instead'));
    });
    capture.data('one').data('+more').sees(1).data('two');
    capture.answerAll().answerAll();
    expect(capture.streams).toEqual(['insteadtwo']);
  });

  it('change the number of copies of a message', () => {
    const capture = new Capture({ copies: 2 });
    capture.pipeline.hooks.request.tap('copies', (context) => {
      context.copies(context.piece.answers === 0 ? 3 : 1);
    });
    capture.data('one').data('+').answerAll();
    expect(capture.streams).toEqual(['one+', 'one+', 'one+']);
    capture.sees(1).data('two').answerAll().ended();
    expect(capture.streams).toEqual(['one+two', 'one+', 'one+']);
    capture.expectSettled('replayed', { answered: 4 });
  });

  it('make copies of a message differ: in bytes, whatever follows of it, and in time', () => {
    const capture = new Capture({ copies: 3 });
    capture.pipeline.hooks.request.tap('differ', (context) => {
      context.delay(10);
      context.copies(3, (copy) =>
        copy === 1 ? { bytes: Buffer.from('one, for 1'), delay: 20 } : context.piece.answers > 0 ? {} : undefined,
      );
    });
    capture.data('one').data('+');
    capture.pass(11);
    expect(capture.streams).toEqual(['one+', '', 'one+']);
    capture.pass(21);
    expect(capture.streams).toEqual(['one+', 'one, for 1+', 'one+']);
    capture.answerAll().ended();
    capture.expectSettled('replayed', { answered: 3 });
    expect(capture.ledger.bytesDelivered).toBe(4 + 11 + 4);
  });

  it('are not asked about copies of a message that was replaced', () => {
    const capture = new Capture({ copies: 2 });
    capture.pipeline.hooks.request.tap('differ', (context) => {
      context.copies(2, () => ({ bytes: Buffer.from('other') }));
      context.replace(Buffer.from('instead'));
    });
    capture.data('one').data('+');
    expect(capture.streams).toEqual(['instead', 'instead']);
  });

  it.each([
    ['pass', ['one+two', 'one+two', 'one+two'], { answered: 6 }],
    ['drop', ['one+two', '', 'one+two'], { answered: 4, 'plugin-error': 2 }],
    ['drop-connection', ['one+', '', 'one+'], { answered: 2, 'plugin-error': 4 }],
  ] as const)('that fail on one copy cost no other, by the policy %s', (kind, streams, units) => {
    const capture = new Capture({ copies: 3, policy: { kind } });
    capture.pipeline.hooks.request.tap('differ', (context) => {
      context.copies(3, (copy) => {
        if (copy === 1) throw new Error('no');
        return undefined;
      });
    });
    capture.data('one').data('+').answerAll().sees(1).data('two').answerAll().ended();
    expect(capture.streams).toEqual(streams);
    expect(capture.buckets).toEqual(units);
    expect(capture.done).toBe(1);
    expect(capture.ledger.balance().balanced).toBe(true);
  });

  it('hold a message back', () => {
    const capture = new Capture();
    capture.pipeline.hooks.request.tap('delay', (context) => {
      context.delay(50);
    });
    capture.data('one');
    expect(capture.session.sent).toBe('');
    capture.pass(49);
    expect(capture.session.sent).toBe('');
    capture.pass(2);
    expect(capture.session.sent).toBe('one');
  });

  it('drop the rest of a connection', () => {
    const capture = new Capture();
    capture.pipeline.hooks.request.tap('drop', (context) => {
      if (context.piece.answers > 0) context.dropConnection('enough');
    });
    capture.data('one').answerAll().sees(1).data('two').data('+').sees(1).data('three').ended();
    capture.answerAll();
    expect(capture.streams).toEqual(['one']);
    expect(capture.buckets).toEqual({ answered: 1, filtered: 2 });
    expect(capture.done).toBe(1);
    expect(capture.ledger.balance().balanced).toBe(true);
  });

  it('that take their time hold up what follows, in order, and nothing else', async () => {
    const capture = new Capture();
    const waiting = waits(capture);
    capture.data('one').data('+').sees(1).data('two').ended();
    expect(capture.streams).toEqual(['']);
    waiting.shift()!();
    await settled();
    expect(capture.streams).toEqual(['one+']);
    waiting.shift()!();
    await settled();
    capture.answerAll().answerAll();
    expect(capture.streams).toEqual(['one+two']);
    capture.expectSettled('replayed', { answered: 2 });
  });

  it('that are still waited for at the end cost their message, and those behind it', async () => {
    const capture = new Capture();
    capture.pipeline.hooks.request.tapPromise('wait', () => new Promise<undefined>(() => undefined));
    capture.data('one').sees(1).data('two').data('+').sees(1).data('three').ended();
    capture.replay.stop('shutdown');
    await settled();
    expect(capture.ledger.bytesCaptured).toBe('onetwo+three'.length);
    capture.expectSettled('shutdown', { shutdown: 3 });
  });

  it('that take their time are waited for with a bounded memory: what finds no place is counted', async () => {
    const capture = new Capture({ budget: 1_000 });
    const waiting = waits(capture);
    capture.data('one');
    for (let i = 0; i < 50; i++) capture.sees(1).data(`${i}`.padStart(2, '0').padEnd(100, '.'));
    expect(capture.budget.used).toBe(1_000);
    capture.ended();
    while (waiting.length > 0) {
      waiting.shift()!();
      await settled();
      capture.answerAll();
    }
    const sent = ['one', ...Array.from({ length: 10 }, (_, i) => `0${i}`.padEnd(100, '.'))];
    expect(capture.streams).toEqual([sent.join('')]);
    expect(capture.ledger.bytesCaptured).toBe(5_003);
    expect(capture.ledger.bytesMissing).toBe(0);
    // The last that was sent may have gone on in what is lost.
    capture.expectSettled('partly-replayed', { answered: 10, 'memory-cap': 2 });
  });

  it('that take their time over a part of a large message do not have its rest sent without its middle', async () => {
    const capture = new Capture({ budget: 64 << 20 });
    const waiting = waits(capture);
    capture.data('one');
    const part = 'x'.repeat(1 << 20);
    for (let i = 0; i < 20; i++) capture.data(part);
    capture.sees(1).data('last');
    expect(capture.budget.used).toBe(16 * part.length);
    waiting.shift()!();
    await settled();
    capture.sees(1).data('after what is lost').sees(1).data('next').ended();
    waiting.shift()!();
    await settled();
    capture.answerAll();
    expect(capture.ledger.bytesMissing).toBe(0);
    expect(capture.streams.at(-1)).toBe('next');
    expect(capture.buckets).toMatchObject({ answered: 1 });
    expect(capture.ledger.balance().balanced).toBe(true);
    expect(capture.budget.used).toBe(0);
  });

  it('that take their time hold up the reading of a recording, until what waits is done', async () => {
    const capture = new Capture({ waitsForResponse: false });
    let asked = 0;
    capture.pipeline.hooks.request.tapPromise('wait', () => {
      asked++;
      return Promise.resolve();
    });
    capture.data('0');
    for (let i = 1; i < 6_000; i++) {
      capture.sees(1).data('.');
      expect(capture.crowdedReplicas).toBe(i > 4_096 ? 1 : 0);
    }
    expect(capture.undecidedMessages).toBe(1);
    while (asked < 6_000) await settled();
    await settled();
    expect(capture.crowdedReplicas + capture.undecidedMessages).toBe(0);
  });
});

/** Makes plugins wait; gives what lets the next message go on. */
function waits(capture: Capture): (() => void)[] {
  const waiting: (() => void)[] = [];
  capture.pipeline.hooks.request.tapPromise(
    'wait',
    () => new Promise<undefined>((done) => waiting.push(() => done(undefined))),
  );
  return waiting;
}
