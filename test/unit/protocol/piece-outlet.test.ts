import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/core/time.ts';
import { ClientInput } from '../../../src/protocol/client-input.ts';
import type { ChangeableMessage } from '../../../src/protocol/message-piece.ts';
import { PendingBytes } from '../../../src/protocol/pending-bytes.ts';
import { PieceOutlet } from '../../../src/protocol/piece-outlet.ts';

/** An outlet for a push of 'defgh', with `kept` pending. */
function setUp(kept = ''): { out: PieceOutlet<ChangeableMessage>; budget: { used: number; limit: number } } {
  const budget = { used: 0, limit: 100 };
  const input = new ClientInput();
  const pending = new PendingBytes(budget);
  input.push({ bytes: Buffer.from('..defgh'), offset: 2, length: 5, time: instant(5), serverBytesSeen: 0 });
  pending.append(Buffer.from(kept), 0, kept.length);
  return { out: new PieceOutlet(input, pending), budget };
}

/** The piece that is out. */
function shown({ piece }: PieceOutlet<ChangeableMessage>): unknown {
  const { bytes, offset, length, first, last } = piece;
  return [Buffer.from(bytes.subarray(offset, offset + length)).toString(), first, last];
}

describe('the outlet of pieces', () => {
  it('gives bytes of the push where they lie', () => {
    const { out } = setUp();
    out.give(2, 5, true, true);
    expect(shown(out)).toEqual(['def', true, true]);
    expect(out.open).toBe(false);
    expect(out.next()).toBe(false);
  });

  it('gives what is pending alone, and its memory back once that is dealt with', () => {
    const { out, budget } = setUp('abc');
    expect(out.holds).toBe(true);
    out.give(4, 4, true, true);
    expect(shown(out)).toEqual(['abc', true, true]);
    expect(out.holds).toBe(false);
    expect(budget.used).toBe(3);
    expect(out.next()).toBe(false);
    expect(budget.used).toBe(0);
  });

  it('gives what is pending and then the bytes of the push behind it, as one message', () => {
    const { out, budget } = setUp('abc');
    out.give(2, 5, true, true);
    expect(shown(out)).toEqual(['abc', true, false]);
    expect(out.open).toBe(true);
    expect(out.next()).toBe(true);
    expect(shown(out)).toEqual(['def', false, true]);
    expect(out.open).toBe(false);
    expect(budget.used).toBe(0);
    expect(out.next()).toBe(false);
  });

  it('leaves a message open until it is told of its end', () => {
    const { out } = setUp();
    out.give(2, 5, true, false);
    expect(out.open).toBe(true);
    out.endMessage(true);
    expect(out.piece.last).toBe(true);
    expect(out.open).toBe(false);
  });

  it('drops what is under way with what is pending', () => {
    const { out, budget } = setUp('abc');
    out.give(2, 5, true, false);
    out.drop();
    expect(out.open).toBe(false);
    expect(out.next()).toBe(false);
    expect(budget.used).toBe(0);
  });
});
