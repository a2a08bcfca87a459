import { endianness } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  attributesOf,
  errnoOfMessage,
  messagesOf,
  netlinkRequest,
  NLM_F_DUMP,
  readHalf,
  readWord,
  readWordAt,
  word,
} from '../../../src/inject/netlink.ts';

const bytesOf = (...values: number[]) => Uint8Array.from(values);

describe('netlink messages', () => {
  it.runIf(endianness() === 'LE')('lays a request out as the kernel reads it', () => {
    const request = netlinkRequest(
      26,
      NLM_F_DUMP,
      [
        [1, 2],
        [1, 32],
        [2, 0x0102],
      ],
      [
        [1, bytesOf(10, 0, 0, 1)],
        [4, bytesOf(9)],
      ],
    );
    expect([...request]).toEqual([
      ...[36, 0, 0, 0, 26, 0, 0x01, 0x03, 0, 0, 0, 0, 0, 0, 0, 0],
      ...[2, 32, 0x02, 0x01],
      ...[8, 0, 1, 0, 10, 0, 0, 1],
      ...[5, 0, 4, 0, 9, 0, 0, 0],
    ]);
  });

  it('takes apart what it makes', () => {
    const one = netlinkRequest(
      16,
      0,
      [
        [1, 2],
        [1, 0],
        [2, 772],
        [4, 0xfedc_ba98],
      ],
      [
        [7, bytesOf(1, 2, 3)],
        [4, word(1_500)],
      ],
    );
    const two = netlinkRequest(3, 0, []);
    const [first, second, ...rest] = messagesOf(Uint8Array.from([...one, ...two]));
    expect([first!.type, second!.type, rest]).toEqual([16, 3, []]);
    expect([readHalf(first!.body, 2), readWordAt(first!.body, 4)]).toEqual([772, 0xfedc_ba98]);
    const attributes = attributesOf(first!.body, 8);
    expect([...attributes.keys()]).toEqual([7, 4]);
    expect([...attributes.get(7)!]).toEqual([1, 2, 3]);
    expect(readWord(attributes.get(4))).toBe(1_500);
  });

  it('leaves out the marks of nested attributes', () => {
    const [message] = messagesOf(netlinkRequest(16, 0, [], [[0x8000 | 8, bytesOf(1, 2, 3, 4)]]));
    expect([...attributesOf(message!.body, 0).keys()]).toEqual([8]);
  });

  it('tells errors from an acknowledgement and from other messages', () => {
    const error = (n: number) => [...messagesOf(netlinkRequest(2, 0, [[4, n >>> 0]]))][0]!;
    expect([error(-19), error(0)].map(errnoOfMessage)).toEqual([19, 0]);
    expect([...messagesOf(netlinkRequest(24, 0, [[4, 1]]))].map(errnoOfMessage)).toEqual([0]);
  });

  it('reads no further than what is there, whatever the lengths say', () => {
    const whole = netlinkRequest(
      16,
      0,
      [[4, 1]],
      [
        [1, bytesOf(1, 2, 3, 4)],
        [2, bytesOf(5, 6, 7, 8)],
      ],
    );
    for (let length = 0; length < whole.length; length++) {
      expect([...messagesOf(whole.subarray(0, length))]).toEqual([]);
    }
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 1, 3, 0xff]) {
        const damaged = whole.slice();
        damaged[at] = value;
        for (const { body } of messagesOf(damaged)) expect(attributesOf(body, 4).size).toBeLessThanOrEqual(3);
      }
    }
    expect(readWord(bytesOf(1, 2, 3))).toBeUndefined();
  });
});
