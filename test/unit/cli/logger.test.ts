import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog, openLogFile } from '../../../src/cli/logger.ts';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;

function logged(logLevel: 'error' | 'warn' | 'info' | 'debug', logFormat: 'text' | 'json'): string[] {
  const lines: string[] = [];
  const log = createLog({ logLevel, logFormat }, (line) => lines.push(line));
  log.error('broken', { port: 80, path: '/a b', list: [1], quote: 'a"b', empty: '' });
  log.warn('odd');
  log.info('two\nlines');
  log.debug('detail');
  return lines;
}

describe('text', () => {
  it('is time, level, message and fields, one line each', () => {
    const lines = logged('debug', 'text');
    expect(lines.every((line) => TIME.test(line))).toBe(true);
    expect(lines.map((line) => line.replace(TIME, ''))).toEqual([
      ' error broken port=80 path="/a b" list=[1] quote="a\\"b" empty=""',
      ' warn  odd',
      ' info  two lines',
      ' debug detail',
    ]);
  });

  it('has colours on the level alone, and only where they are asked for', () => {
    const lines: string[] = [];
    const log = createLog({ logLevel: 'info', logFormat: 'text', colors: true }, (line) => lines.push(line));
    log.error('broken');
    log.info('fine');
    expect(lines.map((line) => line.replace(TIME, ''))).toEqual([' \u001b[31merror\u001b[39m broken', ' info  fine']);
  });

  it.each([
    ['error', 1],
    ['warn', 2],
    ['info', 3],
    ['debug', 4],
  ] as const)('level %s shows %d of four', (level, n) => expect(logged(level, 'text')).toHaveLength(n));
});

it('json is one object a line', () => {
  const records = logged('debug', 'json').map((line) => JSON.parse(line) as object);
  expect(records[0]).toMatchObject({ level: 'error', msg: 'broken', port: 80 });
  expect((records[0] as { time: string }).time).toMatch(TIME);
  expect(records).toHaveLength(4);
});

describe('a log file', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'log-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('is appended to, takes plain lines, and follows a rotation', () => {
    const path = join(dir, 'log');
    for (const round of [1, 2]) {
      const file = openLogFile(path, { logLevel: 'info', logFormat: 'text' });
      file.log.info(`round ${round}`);
      file.line('plain');
      file.flush();
    }
    expect(
      readFileSync(path, 'utf8')
        .split('\n')
        .map((line) => line.replace(TIME, '')),
    ).toEqual([' info  round 1', 'plain', ' info  round 2', 'plain', '']);
    const file = openLogFile(path, { logLevel: 'info', logFormat: 'json' });
    renameSync(path, `${path}.1`);
    file.reopen();
    file.line('after');
    file.line('');
    file.flush();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ level: 'info', msg: 'after' });
  });

  it('that cannot be opened is a one-line error', () => {
    expect(() => openLogFile(join(dir, 'no', 'log'), { logLevel: 'info', logFormat: 'text' })).toThrow(
      expect.objectContaining({ code: 'E_FILE', where: `-l ${join(dir, 'no', 'log')}` }),
    );
  });

  it('on a full disk loses lines, which is said once, and holds nothing up', () => {
    const losses: string[] = [];
    const file = openLogFile('/dev/full', { logLevel: 'info', logFormat: 'text' }, (reason) => losses.push(reason));
    file.log.info('one');
    file.log.info('two');
    file.flush();
    expect(losses).toEqual(['ENOSPC']);
  });
});
