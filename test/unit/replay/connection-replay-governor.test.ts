import { describe, expect, it } from 'vitest';
import type { Governor } from '../../../src/replay/governor.ts';
import { Capture } from './captured-connection.ts';

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
