import { describe, expect, it } from 'vitest';
import { parseProcessOptions, readControlKey } from '../../../src/config/process-options.ts';
import { rawProcessSchema } from '../../../src/config/raw-options.ts';
import { CONTEXT, lineOf } from './options-fixture.ts';

const parse = (user: string | undefined, currentUser: number | undefined = 0) =>
  parseProcessOptions(rawProcessSchema.parse({ user }), { ...CONTEXT, currentUser }).user;

describe('--nice', () => {
  const nice = (text: string | undefined) => parseProcessOptions(rawProcessSchema.parse({ nice: text }), CONTEXT).nice;

  it('is a nice value that takes nothing from others, or a name; without it others go first', () => {
    expect([undefined, '0', '19', 'idle', 'none', 'polite'].map(nice)).toEqual([
      'polite',
      0,
      19,
      'idle',
      'none',
      'polite',
    ]);
    for (const text of ['-5', '20', 'low']) {
      expect(lineOf(() => nice(text))).toMatch(
        /^--nice .*: must be a whole number from 0 to 19; or 'polite', 'idle' or 'none'/,
      );
    }
  });
});

describe('--user', () => {
  it('is a user of this machine', () => {
    expect(parse(undefined)).toBeUndefined();
    expect(parse('tcpcopy')).toEqual({ name: 'tcpcopy', uid: 990, gid: 991 });
    expect(lineOf(() => parse('nobody-knows'))).toMatch(/^--user nobody-knows: there is no such user/);
  });

  it('is for root, or who is that user already', () => {
    expect(parse('tcpcopy', 990)).toMatchObject({ uid: 990 });
    expect(lineOf(() => parse('tcpcopy', 1000))).toMatch(/^--user tcpcopy: only root may become another user/);
    expect(lineOf(() => parse('root', 1000))).toMatch(/only root/);
  });
});

describe('a file that cannot be read', () => {
  it('is named; of a path that fills the screen the end', () => {
    expect(lineOf(() => readControlKey('/etc/missing.key', CONTEXT))).toMatch(
      /^--control-key-file \/etc\/missing\.key: /,
    );
    expect(lineOf(() => readControlKey(`/${'long/'.repeat(400)}missing.key`, CONTEXT))).toMatch(
      /^--control-key-file ….*\/missing\.key: /,
    );
  });
});
