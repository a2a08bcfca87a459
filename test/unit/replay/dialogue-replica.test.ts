/** A replica whose protocol has a dialogue: logins, ids, state for fresh sessions, and what becomes of units meanwhile. */
import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import type { Preparation } from '../../../src/protocol/dialogue.ts';
import { DeskDialogue } from '../../support/desk-protocol.ts';
import { DeskRig } from './desk-rig.ts';
import type { ReplicaRig, RigOptions } from './replay-rig.ts';

describe('a login', () => {
  it('is done anew, with the challenge and the password of the target, before anything else goes', () => {
    const rig = new DeskRig();
    rig.replica.openEarly();
    rig.client('login ann online-answer');
    expect(rig.sent).toEqual([]);
    rig.says('desk abc');
    expect(rig.sent).toEqual(['login ann cbasecret']);
    rig.client('room red');
    expect(rig.sent).toHaveLength(1);
    rig.says('+in');
    expect([rig.sent[1], rig.settled]).toEqual(['room red', ['answered']]);
    rig.says('+room red');
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered', 'answered');
  });

  it('takes the greeting of a session that was open before the protocol was known', () => {
    const rig = new DeskRig();
    rig.replica.openEarly();
    rig.says('desk abc');
    rig.client('login ann online-answer');
    expect(rig.sent).toEqual(['login ann cbasecret']);
  });

  it('is made up where the client had logged in before', () => {
    const rig = new DeskRig();
    rig.client('room red', 0);
    expect(rig.sent).toEqual([]);
    rig.says('desk xy');
    expect(rig.sent).toEqual(['login guest yxg']);
    rig.says('+in');
    expect(rig.sent.slice(1)).toEqual(['room red']);
    expect(rig.settled).toEqual([]);
    rig.says('+room red');
    expect(rig.settled).toEqual(['answered']);
    expect(rig.read).toEqual([
      { line: 'desk xy', origin: 'target' },
      { line: '+room red', origin: 'target' },
    ]);
  });

  it('that is refused ends the copy: all of it is counted, and no other login is tried', () => {
    const rig = new DeskRig();
    rig.client('login bob online-answer');
    rig.client('room red');
    rig.says('desk abc', '!no');
    expect([rig.session.state, rig.refusals]).toEqual(['aborted', ['all: the login was refused']]);
    rig.client('room blue');
    expect(rig.target.sessions).toHaveLength(1);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('login-failed', 'login-failed', 'login-failed');
  });

  it('that never ends costs the request that waits for it, and the next one tries again', () => {
    const rig = new DeskRig({ heldPatience: seconds(30) });
    rig.client('room red', 0);
    rig.client('room blue');
    rig.says('desk abc');
    rig.pass(30_000);
    expect([rig.settled, rig.target.sessions.length]).toEqual([['timed-out'], 2]);
    rig.says('desk abc', '+in');
    expect(rig.sent).toEqual(['login guest cbag', 'room blue']);
  });

  it.each([
    ['refused', 'refused'],
    ['reset', 'reset'],
    ['closed', 'reset'],
  ] as const)('is not tried for ever at a target that has %s', (end, bucket) => {
    const rig = new DeskRig();
    rig.client('room red', 0);
    rig.client('room blue');
    rig.session.end(end);
    rig.session.end(end);
    expect(rig.target.sessions).toHaveLength(2);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone(bucket, bucket);
  });
});

describe('requests', () => {
  const loggedIn = (options: RigOptions = {}): DeskRig => {
    const rig = new DeskRig(options);
    rig.client('login ann x');
    rig.says('desk abc');
    rig.says('+in');
    return rig;
  };

  it('carry the ids that the target gave', () => {
    const rig = loggedIn();
    rig.client('keep hat');
    rig.says('+id 71');
    rig.online('keep hat', '+id 5');
    rig.client('show 5');
    expect(rig.sent.slice(1)).toEqual(['keep hat', 'show 71']);
    rig.says('-part', '+hat');
    expect(rig.settled).toEqual(['answered', 'answered', 'answered']);
    expect(rig.ledger.bytesDelivered).toBe(rig.session.sent.length);
  });

  it('are refused where there is no such id, and what follows goes on', () => {
    const rig = loggedIn();
    rig.client('show 5');
    rig.client('room red');
    expect([rig.sent.slice(1), rig.settled]).toEqual([['room red'], ['answered', 'not-replayable']]);
    expect(rig.refusals).toEqual(['kept before the copy began']);
  });

  it('may have no response', () => {
    const rig = loggedIn();
    rig.client('note this');
    rig.session.ack();
    expect(rig.settled).toEqual(['answered', 'answered']);
  });

  it('wait for room in the session like any other', () => {
    const rig = new DeskRig();
    rig.target.room = 10;
    rig.client('room red', 0);
    rig.says('desk abc');
    expect(rig.session.sent).toBe('login gues');
    rig.session.makeRoom(8);
    expect(rig.session.sent).toBe('login guest cbag\n');
    rig.says('+in');
    expect(rig.session.sent).toBe('login guest cbag\nr');
    rig.session.makeRoom(100);
    expect(rig.sent[1]).toBe('room red');
    rig.says('+room red');
    expect(rig.settled).toEqual(['answered']);
  });
});

describe('a fresh session', () => {
  it('is logged in, and given again what the one before had', () => {
    const rig = new DeskRig();
    rig.client('login ann x');
    rig.says('desk abc', '+in');
    rig.client('room red');
    rig.says('+room red');
    rig.client('keep hat');
    rig.says('+id 71');
    rig.online('keep hat', '+id 5');
    rig.session.fin();
    rig.session.end('closed');
    rig.client('show 5');
    expect(rig.sent).toEqual([]);
    rig.says('desk xyz');
    rig.says('+in');
    expect(rig.sent).toEqual(['login ann zyxsecret', 'room red', 'keep hat']);
    rig.says('+room red');
    expect(rig.sent).toHaveLength(3);
    rig.says('+id 12');
    expect(rig.sent[3]).toBe('show 12');
    rig.says('+hat');
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('answered', 'answered', 'answered', 'answered');
  });
});

describe('a dialogue that loses the thread', () => {
  it('ends the session: what had gone is unanswered, and the next request opens a fresh one', () => {
    const rig = new DeskRig();
    rig.client('login ann x');
    rig.says('desk abc', '+in');
    rig.client('room red');
    rig.session.ack();
    rig.session.respond(5);
    expect([rig.session.state, rig.settled]).toEqual(['aborted', ['answered', 'unanswered']]);
    rig.client('room blue');
    rig.says('desk abc', '+in');
    expect(rig.sent).toEqual(['login ann cbasecret', 'room blue']);
    expect(rig.ledger.sessionsUnread.toJSON()).toEqual({ cut: 1 });
  });

  it.each(['opened', 'prepare', 'transmit', 'push', 'next', 'sent'] as const)(
    'by throwing in %s costs its own requests',
    (method) => {
      const rig = new DeskRig({}, () => {
        const dialogue = new DeskDialogue({ ann: 'secret' }, 'guest');
        dialogue[method] = () => {
          throw new Error('a bad plugin');
        };
        return dialogue;
      });
      for (const line of ['login ann x', 'room red', 'room blue']) {
        rig.client(line);
        if (rig.target.sessions.length > 0 && !rig.session.over) rig.says('desk abc');
      }
      rig.replica.clientEnded('fin', 1);
      rig.pass(60_000);
      expect(rig.settled).toHaveLength(3);
      expect(
        rig.settled.filter((bucket) => !['plugin-error', 'unanswered', 'reset', 'timed-out'].includes(bucket)),
      ).toEqual([]);
      expect(rig.ledger.sessionsUnread.get('plugin-error')).toBeGreaterThan(0);
      rig.expectIdle();
    },
  );
});

describe('what is put in place of a request', () => {
  class Replacing extends DeskDialogue {
    readonly #preparation: Preparation;

    constructor(preparation: Preparation) {
      super({}, 'guest');
      this.#preparation = preparation;
    }

    override prepare(): Preparation {
      return this.#preparation;
    }
  }
  const split = (preparation: Preparation): ReplicaRig => {
    const rig = new DeskRig({}, () => new Replacing(preparation));
    rig.push('head');
    rig.more('+rest');
    rig.more('+end', { last: true });
    rig.push('next', { last: true });
    return rig;
  };

  it('is its first piece, or all of it', () => {
    expect(split('send').session.sent).toBe('head+rest+endnext');
    expect(split({ bytes: Buffer.from('HD'), instead: 'first-piece' }).session.sent).toBe('HD+rest+endHD');
    expect(split({ bytes: Buffer.from('ALL'), instead: 'whole' }).session.sent).toBe('ALLALL');
  });

  it('is nothing, whether all of it is captured or not', () => {
    const rig = split({ refuse: 'no' });
    expect([rig.session.sent, rig.settled]).toEqual(['', ['not-replayable', 'not-replayable']]);
    rig.replica.clientEnded('fin', 1);
    rig.expectDone('not-replayable', 'not-replayable');
  });
});
