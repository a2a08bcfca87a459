import { expect, it } from 'vitest';
import * as module from '../../../src/core/drop-reason.ts';

it('each constant is the place of its name in the list', () => {
  const constants = Object.entries(module).filter(([name]) => name.startsWith('DROP_') && name !== 'DROP_REASONS');
  expect(constants.length).toBe(module.DROP_REASONS.length);
  for (const [name, value] of constants) {
    const expected = name.replace('DROP_', '').toLowerCase().replaceAll('_', '-');
    expect(module.DROP_REASONS[value as number]).toBe(expected);
  }
});
