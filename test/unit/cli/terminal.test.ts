import { expect, it } from 'vitest';
import { Terminal } from '../../../src/cli/terminal.ts';

function setUp(isTTY: boolean) {
  let text = '';
  const stream = { write: (chunk: string) => void (text += chunk), isTTY, columns: 90 };
  return { terminal: new Terminal(stream, stream), written: () => text };
}

const ERASE = '\r\u001b[2K';

it('takes the live line away before any other line and puts it back', () => {
  const { terminal, written } = setUp(true);
  terminal.live('50 %');
  terminal.line('out');
  terminal.errorLine('err');
  terminal.live('60 %');
  terminal.live('');
  terminal.line('summary');
  expect(written()).toBe(`${ERASE}50 %${ERASE}out\n50 %${ERASE}err\n50 %${ERASE}60 %${ERASE}summary\n`);
});

it('has no live line and no width without a terminal', () => {
  const { terminal, written } = setUp(false);
  terminal.live('50 %');
  terminal.line('out');
  expect(written()).toBe('out\n');
  expect(terminal.columns).toBeUndefined();
});

it('shows the width as it is now', () => {
  const stream = { write: () => undefined, isTTY: true, columns: 90 };
  const terminal = new Terminal(stream, stream);
  expect(terminal.columns).toBe(90);
  stream.columns = 70;
  expect(terminal.columns).toBe(70);
  stream.columns = 0;
  expect(terminal.columns, 'it does not know its size').toBeUndefined();
});
