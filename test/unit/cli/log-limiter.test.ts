import { describe, expect, it } from 'vitest';
import { LogLimiter } from '../../../src/cli/log-limiter.ts';
import { addTime, instant, seconds } from '../../../src/core/time.ts';

function setUp() {
  const lines: string[] = [];
  const say = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  let now = instant(0);
  const limiter = new LogLimiter(
    { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') },
    () => now,
  );
  return { lines, limiter, log: limiter.log, pass: (s: number) => (now = addTime(now, seconds(s))) };
}

describe('warnings and errors', () => {
  it('of one kind are ten a minute; the rest are counted', () => {
    const { lines, limiter, log, pass } = setUp();
    for (let i = 0; i < 50; i++) log.warn(`10.0.0.${i}:80 sent ${i} bytes too many`);
    expect(lines).toHaveLength(10);
    pass(60);
    log.warn('10.0.0.9:80 sent 9 bytes too many');
    expect(lines.slice(10)).toEqual([
      'warn 10.0.0.0:80 sent 0 bytes too many (and 40 more like it)',
      'warn 10.0.0.9:80 sent 9 bytes too many',
    ]);
    limiter.flush();
    expect(lines).toHaveLength(12);
  });

  it('that were left out are told of at the end', () => {
    const { lines, limiter, log } = setUp();
    for (let i = 0; i < 12; i++) log.error('broken');
    limiter.flush();
    limiter.flush();
    expect(lines.slice(10)).toEqual(['error broken (and 2 more like it)']);
  });

  it('of different kinds, and the same at another level, do not silence each other', () => {
    const { lines, log } = setUp();
    for (let i = 0; i < 20; i++) log.warn('device eth0 went away');
    log.warn('the target refused');
    log.error('device eth0 went away');
    expect(lines.slice(10)).toEqual(['warn the target refused', 'error device eth0 went away']);
  });

  it('take a bounded memory, however many kinds there are', () => {
    const { lines, log } = setUp();
    const word = (i: number): string => i.toString(2).replaceAll('0', 'x').replaceAll('1', 'y');
    for (let i = 0; i < 12; i++) log.warn('first');
    for (let i = 0; i < 600; i++) log.warn(`kind ${word(i)}`);
    expect(lines.filter((line) => line.includes('first (and 2 more'))).toHaveLength(1);
    log.warn('first');
    expect(lines.at(-1)).toBe('warn first');
  });
});

it('what is told for information is not limited', () => {
  const { lines, log } = setUp();
  for (let i = 0; i < 100; i++) log.info('GET /');
  for (let i = 0; i < 100; i++) log.debug('GET /');
  expect(lines).toHaveLength(200);
});
