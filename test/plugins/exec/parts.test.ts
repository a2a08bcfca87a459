import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProgram, splitCommand } from '../../../plugins/exec/command.ts';
import { LineReader } from '../../../plugins/exec/line-reader.ts';
import type { Outcome } from '../../../plugins/exec/outcome.ts';
import { Pending } from '../../../plugins/exec/pending.ts';
import { QuietLog } from '../../../plugins/exec/quiet-log.ts';
import { millis } from '../../../src/core/time.ts';
import { TestClock } from '../../../src/testing/test-clock.ts';

describe('a command', () => {
  it.each<[string, readonly string[] | undefined]>([
    ['./filter.py --flag', ['./filter.py', '--flag']],
    ['  a\t b\n', ['a', 'b']],
    [`a 'b c' "d e"f g\\ h`, ['a', 'b c', 'd ef', 'g h']],
    [`a '' ""`, ['a', '', '']],
    [`a "\\"\\\\\\n$HOME" '\\'`, ['a', '"\\\\n$HOME', '\\']],
    ['a;b|c>d $(e) *', ['a;b|c>d', '$(e)', '*']],
    ['', []],
    [`a 'b`, undefined],
    ['a "b\\"', undefined],
    ['a\\', ['a\\']],
  ])('%s', (text, words) => expect(splitCommand(text)).toEqual(words));

  it('that is quoted is split into what was quoted', () => {
    const quoted = (word: string): string => `'${word.replaceAll("'", `'"'"'`)}'`;
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(splitCommand(words.map(quoted).join(' '))).toEqual(words);
      }),
    );
  });

  it('is found by path or in PATH, and refused where it cannot be run', () => {
    const folder = mkdtempSync(join(tmpdir(), 'exec-'));
    try {
      writeFileSync(join(folder, 'runs'), '', { mode: 0o755 });
      writeFileSync(join(folder, 'text'), '', { mode: 0o644 });
      expect(findProgram('./runs', folder, '')).toBe(join(folder, 'runs'));
      expect(findProgram('runs', '/', `/nowhere::${folder}`)).toBe(join(folder, 'runs'));
      expect(() => findProgram('./none', folder, '')).toThrow(`${folder}/none does not exist`);
      expect(() => findProgram(`${folder}/text`, '/', '')).toThrow('chmod +x');
      expect(() => findProgram('./', folder, '')).toThrow('is no file');
      expect(() => findProgram('none', folder, folder)).toThrow('there is no program none in PATH');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('lines', () => {
  const read = (chunks: readonly Buffer[], longest: number): string[] => {
    const lines: string[] = [];
    const reader = new LineReader(
      longest,
      (line) => lines.push(line),
      () => lines.push('(too long)'),
    );
    for (const chunk of chunks) reader.push(chunk);
    return lines;
  };

  it('are the same however they are cut', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replace(/[\r\n]/g, ''));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.string({ maxLength: 5 }), fc.nat(7), (lines, rest, size) => {
        const bytes = Buffer.from([...lines, rest.replaceAll('\n', '')].join('\n'));
        const chunks = Array.from({ length: Math.ceil(bytes.length / (size + 1)) }, (_, i) =>
          bytes.subarray(i * (size + 1), (i + 1) * (size + 1)),
        );
        const expected = lines.map((text) => (Buffer.byteLength(text) > 20 ? '(too long)' : text));
        expect(read(chunks, 20)).toEqual(expected);
      }),
    );
  });

  it('lose a carriage return, and the one that is too long is left out once', () => {
    expect(read([Buffer.from('a\r\n123456789'), Buffer.from('0123456\nb\n\n')], 10)).toEqual([
      'a',
      '(too long)',
      'b',
      '',
    ]);
  });
});

describe('what waits for an answer', () => {
  it('waits so long, and so many do', async () => {
    const clock = new TestClock();
    let late = 0;
    const env = { after: (ms: number, fn: () => void) => clock.after(millis(ms), fn) };
    const pending = new Pending(env, 3, 100, () => late++);
    const outcomes: Outcome[] = [];
    for (const id of [1, 2, 3]) void pending.add(id, 10).then((outcome) => outcomes.push(outcome));
    expect(pending.accepts(1)).toBe(false);
    expect([pending.settle(2, { answer: 'two' }), pending.settle(2, { answer: 'again' })]).toEqual([true, false]);
    expect(pending.accepts(1)).toBe(true);
    expect(pending.accepts(65 << 20)).toBe(false);
    clock.pass(99);
    expect(late).toBe(0);
    clock.pass(1);
    await Promise.resolve();
    expect([outcomes, late, pending.settle(1, { answer: 'late' })]).toEqual([
      [{ answer: 'two' }, { failure: 'late' }, { failure: 'late' }],
      2,
      false,
    ]);
    const last = pending.add(4, 64 << 20);
    expect(pending.accepts(1)).toBe(false);
    pending.failAll('down');
    expect([await last, pending.size, pending.accepts(64 << 20), clock.pending]).toEqual([
      ...[{ failure: 'down' }, 0, true, 0],
    ]);
  });
});

describe('what a program says', () => {
  it('is cut to what can be read', () => {
    const clock = new TestClock();
    const lines: string[] = [];
    const log = new QuietLog(
      (line) => lines.push(line),
      () => clock.now(),
    );
    for (let n = 0; n < 25; n++) log.line(`line ${n}`);
    expect(lines).toEqual(Array.from({ length: 10 }, (_, n) => `line ${n}`));
    clock.pass(1_000);
    log.line(`\x1b[31m${'x'.repeat(600)}`);
    expect(lines.slice(10)).toEqual(['(15 more lines, left out)', ` [31m${'x'.repeat(495)}…`]);
  });
});
