import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/core/time.ts';
import { ClientInput } from '../../../src/protocol/client-input.ts';
import { MessagePiece, type ChangeableMessage } from '../../../src/protocol/message-piece.ts';

const bytes = Buffer.from('GET a');

function message(changed: boolean): ChangeableMessage {
  return { changed, serialize: () => Buffer.from('GET bcd') };
}

/** Input whose message began at 5 as the answer to 40 bytes, and goes on at 9. */
function input(): ClientInput {
  const made = new ClientInput();
  made.push({ bytes, offset: 0, length: 3, time: instant(5), serverBytesSeen: 40 });
  made.begin();
  made.push({ bytes, offset: 3, length: 2, time: instant(9), serverBytesSeen: 0 });
  return made;
}

describe('a piece', () => {
  it('at the beginning has the time at which its message began, and what that answers', () => {
    const piece = new MessagePiece();
    piece.fill(input(), bytes, 0, 3, true, false);
    expect(piece).toMatchObject({ bytes, offset: 0, length: 3, first: true, last: false, time: 5, answers: 40 });
    piece.fill(input(), bytes, 3, 2, false, true);
    expect(piece).toMatchObject({ offset: 3, length: 2, first: false, last: true, time: 9, answers: 0 });
  });

  it('has nothing of the one before', () => {
    const piece = new MessagePiece();
    piece.fill(input(), bytes, 0, 3, true, true);
    Object.assign(piece, { awaits: 3, sameSession: true, unparsable: 'wrong', refused: true, message: message(true) });
    piece.fill(input(), bytes, 0, 3, true, true);
    expect(piece).toMatchObject({ awaits: 0, sameSession: false, unparsable: undefined, refused: false });
    expect(piece.message).toBeUndefined();
  });

  it('makes its message when somebody looks, and once', () => {
    const piece = new MessagePiece();
    piece.fill(input(), bytes, 0, 5, true, true);
    let made = 0;
    piece.reader = () => (made++, message(false));
    const { message: first } = piece;
    expect(piece.message).toBe(first);
    expect(made).toBe(1);
  });

  it('has the bytes of a message that was changed, and its own else', () => {
    const piece = new MessagePiece();
    for (const [changed, text] of [
      [false, 'GET a'],
      [true, 'GET bcd'],
    ] as const) {
      piece.fill(input(), bytes, 0, 5, true, true);
      piece.message = message(changed);
      piece.encode();
      expect(
        Buffer.from(piece.bytes)
          .subarray(piece.offset, piece.offset + piece.length)
          .toString(),
      ).toBe(text);
    }
  });
});
