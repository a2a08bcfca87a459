import { getSystemErrorMap } from 'node:util';
import { describe, expect, it } from 'vitest';
import { errnoName, errnoOfText } from '../../../src/inject/errno.ts';

describe('errno', () => {
  it('names numbers', () => {
    for (const [number, [name]] of getSystemErrorMap()) {
      if (number > -200) expect(errnoName(-number)).toBe(name);
    }
  });

  it.each([
    ['Message too long', 'EMSGSIZE'],
    ['Operation not permitted', 'EPERM'],
    ['Network is unreachable', 'ENETUNREACH'],
    ['No route to host', 'EHOSTUNREACH'],
    ['No buffer space available', 'ENOBUFS'],
    ['Resource temporarily unavailable', 'EAGAIN'],
    ['Invalid argument', 'EINVAL'],
    ['Das Argument ist ungültig', 'EIO'],
  ])('knows %j', (text, name) => {
    expect(errnoOfText(text)).toBe(name);
  });
});
