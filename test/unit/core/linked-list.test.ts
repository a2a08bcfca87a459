import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LinkedList, type Linked } from '../../../src/core/linked-list.ts';

class Member implements Linked<Member> {
  listNext: Member | undefined = undefined;
  listPrevious: Member | undefined = undefined;
}

function inOrder(list: LinkedList<Member>): Member[] {
  const members: Member[] = [];
  for (let m = list.first; m !== undefined; m = m.listNext) members.push(m);
  return members;
}

describe('a linked list', () => {
  it('has the same members in the same order as a Set, whatever is done', () => {
    const step = fc.record({ add: fc.boolean(), which: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const all = Array.from({ length: 6 }, () => new Member());
        const list = new LinkedList<Member>();
        const model = new Set<Member>();
        for (const { add, which } of steps) {
          const member = all[which]!;
          if (add) {
            list.add(member);
            model.add(member);
          } else {
            list.delete(member);
            model.delete(member);
            expect([member.listNext, member.listPrevious]).toEqual([undefined, undefined]);
          }
          expect(list.isEmpty).toBe(model.size === 0);
          const members = inOrder(list);
          expect(members).toHaveLength(model.size);
          expect(members.every((m, i) => m === [...model][i])).toBe(true);
        }
      }),
    );
  });
});
