import { expect, it } from 'vitest';
import { processorWait } from '../../../src/replay/processor-wait.ts';

it('is the second number of schedstat, which is in nanoseconds', () => {
  expect(processorWait(() => '123456789 4500000 678\n')).toBe(4_500);
});

it('is not known where there is no such file, or another', () => {
  expect(processorWait(() => '0 0\n')).toBeUndefined();
  expect(
    processorWait(() => {
      throw new Error('ENOENT');
    }),
  ).toBeUndefined();
});
