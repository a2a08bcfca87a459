import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { FullScreen } from '../../../src/cli/full-screen.ts';

const ESC = '\u001b';

class Tty extends EventEmitter {
  written = '';
  raw: boolean | undefined;
  isTTY = true;
  columns = 100;
  rows = 30;
  write(text: string): void {
    this.written += text;
  }
  setRawMode(raw: boolean): void {
    this.raw = raw;
  }
  resume(): void {}
  pause(): void {}
}

function setUp() {
  const [out, keys] = [new Tty(), new Tty()];
  let quits = 0;
  const screen = new FullScreen(out, keys, () => quits++);
  return { out, keys, screen, quits: () => quits };
}

describe('the whole screen', () => {
  it('is taken with the first page, and given back as it was', () => {
    const { out, keys, screen } = setUp();
    expect(screen.keeps('before', () => undefined)).toBe(false);
    expect(out.written).toBe('');
    screen.show(['a', 'b']);
    expect(out.written).toBe(`${ESC}[?1049h${ESC}[?25l${ESC}[?7l${ESC}[2J${ESC}[H${ESC}[2Ka\r\n${ESC}[2Kb`);
    expect(keys.raw).toBe(true);
    out.written = '';
    screen.giveBack();
    screen.giveBack();
    expect(out.written).toBe(`${ESC}[?7h${ESC}[?25h${ESC}[?1049l`);
    expect(keys.raw).toBe(false);
    expect(out.listenerCount('resize') + keys.listenerCount('data')).toBe(0);
    out.written = '';
    screen.show(['late']);
    expect(out.written, 'nothing is drawn over the summary').toBe('');
  });

  it('ends the run with q and Ctrl-C', () => {
    const { keys, screen, quits } = setUp();
    screen.show([]);
    for (const key of ['x', 'q', '\u0003', `${ESC}[A`, 'Qq']) keys.emit('data', Buffer.from(key));
    expect(quits()).toBe(4);
  });

  it('keeps what is written meanwhile, for the page and for afterwards', () => {
    const { screen } = setUp();
    const printed: string[] = [];
    screen.show([]);
    for (let i = 0; i < 502; i++) expect(screen.keeps(`line ${i}`, (text) => printed.push(text))).toBe(true);
    expect(screen.messages.at(-1)).toBe('line 501');
    screen.giveBack();
    expect(printed.slice(0, 2)).toEqual(['(2 earlier lines are left out here)', 'line 2']);
    expect(printed).toHaveLength(501);
    expect(screen.keeps('after', () => undefined)).toBe(false);
  });

  it('is drawn anew when its size changes', () => {
    const { out, screen } = setUp();
    let drawn = 0;
    screen.onResize(() => drawn++);
    screen.show([]);
    Object.assign(out, { columns: 60, rows: 20 });
    out.emit('resize');
    expect([drawn, screen.columns, screen.rows]).toEqual([1, 60, 20]);
    Object.assign(out, { columns: 0, rows: 0 });
    expect([screen.columns, screen.rows], 'of a terminal that does not know its size').toEqual([80, 24]);
  });
});
