import { expect, it } from 'vitest';
import { ReasonCounts } from '../../../src/protocol/reason-counts.ts';

it('reasons are counted each by itself, and told under a label', () => {
  const counts = new ReasonCounts();
  for (const reason of ['a', 'b', 'a']) counts.count(reason);
  expect([...counts.all]).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
  const figures: (readonly [string, number])[] = [];
  counts.tell({ figure: (name, value) => figures.push([name, value]) }, 'unparsable');
  expect(figures).toEqual([
    ['unparsable: a', 2],
    ['unparsable: b', 1],
  ]);
});

it('no more than sixteen are told', () => {
  const counts = new ReasonCounts();
  for (let i = 0; i < 20; i++) counts.count(String(i));
  let told = 0;
  counts.tell({ figure: () => told++ }, 'unparsable');
  expect([counts.all.size, told]).toEqual([20, 16]);
});
