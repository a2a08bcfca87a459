import { describe, expect, it } from 'vitest';
import { seqAdd, seqNum, type SeqNum } from '../../../src/core/seq-num.ts';
import { instant } from '../../../src/core/time.ts';
import type { ErrorPolicy } from '../../../src/pipeline/error-policy.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import { OpaqueCodec } from '../../../src/protocol/opaque-codec.ts';
import { ConnectionReplay } from '../../../src/replay/connection-replay.ts';
import type { Governor } from '../../../src/replay/governor.ts';
import { CLIENT, Rig, TARGET, type FakeSession, type RigOptions } from './replay-rig.ts';

interface Setup extends RigOptions {
  readonly openedBy?: 'syn' | 'midstream';
  readonly copies?: number;
  readonly policy?: ErrorPolicy;
  readonly excluded?: 'sampled-out' | 'filtered' | 'not-picked-up';
  readonly place?: number;
  /** Where the server's bytes stood when the connection was first seen; `undefined`: nothing is known of it. */
  readonly firstAck?: SeqNum | undefined;
}

/** One captured connection, seen from the side of reassembly: client bytes with the client's ACK numbers. */
class Capture extends Rig {
  readonly pipeline: Pipeline;
  readonly replay: ConnectionReplay;
  done = 0;
  readonly #firstAck: SeqNum | undefined;
  #ack: SeqNum;

  constructor(setup: Setup = {}) {
    super(setup);
    const { openedBy = 'syn', copies = 1, excluded, policy, place = 0 } = setup;
    this.pipeline = new Pipeline(policy === undefined ? {} : { policy });
    this.#firstAck = 'firstAck' in setup ? setup.firstAck : seqNum(1_000);
    this.#ack = this.#firstAck ?? seqNum(1_000);
    this.pipeline.hooks.request.tap('test', ({ piece }) =>
      text(piece.bytes, piece.offset, piece.length).startsWith('drop') ? { drop: 'unwanted' } : undefined,
    );
    const info = { client: CLIENT, server: { ...TARGET, port: 80 }, openedBy };
    const codec = new OpaqueCodec(openedBy === 'syn');
    this.replay = new ConnectionReplay(
      this,
      this.pipeline,
      info,
      TARGET,
      codec,
      { copies, excluded, place },
      () => this.done++,
    );
  }

  get ack(): SeqNum {
    return this.#ack;
  }

  /** The client has seen so many more bytes of the server. */
  sees(count: number): this {
    this.#ack = seqAdd(this.#ack, count);
    return this;
  }

  data(content: string, ack: SeqNum = this.#ack): this {
    const bytes = Buffer.from(`##${content}`, 'latin1');
    if (this.replay.wantsAck && this.#firstAck !== undefined) this.replay.sawFirstAck(this.#firstAck);
    this.replay.data(bytes, 2, content.length, instant(5), ack);
    return this;
  }

  ended(end: 'fin' | 'rst' | 'gone' = 'fin'): this {
    this.replay.ended(end, this.#ack);
    return this;
  }

  answerAll(): this {
    for (const session of this.target.sessions) if (!session.over) session.answer(10);
    return this;
  }

  get streams(): string[] {
    return this.target.sessions.map((session) => session.sent);
  }

  get connections(): unknown {
    return this.ledger.connections.toJSON();
  }

  expectSettled(connection: string, units: Record<string, number>): void {
    expect(this.buckets).toEqual(units);
    expect(this.connections).toEqual({ [connection]: 1 });
    expect(this.done).toBe(1);
    expect(this.ledger.balance()).toMatchObject({ balanced: true });
    this.expectIdle();
  }
}

function text(bytes: Uint8Array, offset: number, length: number): string {
  return Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
}

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
    const waiting: (() => void)[] = [];
    capture.pipeline.hooks.request.tapPromise(
      'wait',
      () => new Promise<undefined>((done) => waiting.push(() => done(undefined))),
    );
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

  it('that are still waited for at the end cost one message', async () => {
    const capture = new Capture();
    capture.pipeline.hooks.request.tapPromise('wait', () => new Promise<undefined>(() => undefined));
    capture.data('one').sees(1).data('two');
    capture.replay.stop('shutdown');
    await settled();
    expect(capture.buckets).toEqual({ shutdown: 1 });
    expect(capture.done).toBe(1);
    expect(capture.ledger.balance().balanced).toBe(true);
  });
});

/** Lets promises that are done be heard. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('a governor that leaves connections out', () => {
  /** Leaves out what stands at this place or above. */
  function governed(share: number): { readonly rig: Capture; readonly governor: { share: number } } {
    const governor = {
      share,
      reason: 'target-slow',
      takes: (place: number) => place < governor.share,
      admits: (place: number) => place < governor.share,
    };
    return { rig: new Capture({ governor: governor as unknown as Governor, place: 0.5 }), governor };
  }

  it('opens no session for one of them, and counts its requests by reason', () => {
    const { rig } = governed(0.5);
    rig.data('GET /1').sees(10).data('GET /2').sees(10).ended();
    expect(rig.target.opened).toEqual([]);
    rig.expectSettled('shed', { shed: 2 });
    expect(rig.ledger.shed.toJSON()).toEqual({ 'target-slow': 2 });
  });

  it('never sends a half: a message that began is sent to its end, and the next is left out', () => {
    const { rig, governor } = governed(1);
    rig.data('POST /1');
    governor.share = 0;
    rig.data(' body');
    expect(rig.streams).toEqual(['POST /1 body']);
    rig.answerAll().sees(10).data('GET /2').data(' rest').sees(10).ended();
    expect(rig.streams).toEqual(['POST /1 body']);
    rig.expectSettled('partly-replayed', { answered: 1, shed: 1 });
  });

  it('copies them again from the next message on, into a session of their own', () => {
    const { rig, governor } = governed(0);
    rig.data('GET /1').sees(10);
    governor.share = 1;
    rig.data('GET /2');
    expect(rig.streams).toEqual(['GET /2']);
    rig.answerAll().sees(10).ended();
    rig.expectSettled('partly-replayed', { answered: 1, shed: 1 });
  });
});
