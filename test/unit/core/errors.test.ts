import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, TcpcopyError } from '../../../src/core/errors.ts';

const documented = [
  ...readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8').matchAll(/^### (E_[A-Z_]+)$/gm),
].map((match) => match[1]);

it('docs/errors.md explains each code once, and no other', () => {
  expect(documented.toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
});

describe('TcpcopyError', () => {
  it('says where, what, what to do and its code in one line', () => {
    const error = new TcpcopyError('E_DEVICE', 'no such device', { where: '-i eth7', hint: "see 'ip link'" });
    expect(error.oneLine()).toBe("-i eth7: no such device; see 'ip link' [E_DEVICE]");
    expect(new TcpcopyError('E_LEASE', 'none left').oneLine()).toBe('none left [E_LEASE]');
  });

  it('keeps its cause', () => {
    const cause = new Error('EACCES');
    expect(new TcpcopyError('E_FILE', 'cannot be read', { cause }).cause).toBe(cause);
    expect('cause' in new TcpcopyError('E_FILE', 'cannot be read')).toBe(false);
  });
});
