/** docs/ledger.md shows what the program prints. `UPDATE_DOC=1` writes it there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { summaryLines } from '../../../src/report/summary.ts';
import { SHED_REASONS } from '../../../src/report/ledger.ts';
import { FACTS, ledgerOf } from './ledger-fixture.ts';

const file = new URL('../../../docs/ledger.md', import.meta.url);
const BLOCK = /(<!-- screen: summary -->\n```\n)[\s\S]*?(```)/;

it('docs/ledger.md shows a summary as it is printed', () => {
  const ledger = ledgerOf(
    { answered: 19_802, 'sampled-out': 2_100, shed: 180, reset: 2 },
    { replayed: 4_470, 'partly-replayed': 16, 'sampled-out': 500, 'no-data': 10 },
  );
  ledger.shed.add(SHED_REASONS.indexOf('target-silent'), 180);
  ledger.bytesCaptured = 2_480_000;
  ledger.sessionsOpened = 4_486;
  ledger.retransmissions = 3;
  const facts = {
    ...FACTS,
    elapsed: seconds(20),
    sources: [{ name: 'eth0', frames: 42_160, kernelDropped: 0, unreadable: [] }],
    sent: { packets: 31_408, bytes: 3_920_000, failed: {} },
    cpu: seconds(2.6),
    governor: { share: 1, reason: undefined, reasons: ['target-silent'], spells: 1, time: seconds(1.8) } as const,
  };
  const page = readFileSync(file, 'utf8');
  const shown = summaryLines(ledger, facts, { columns: 100 }).slice(1).join('\n');
  const wanted = page.replace(BLOCK, (_, begin: string, end: string) => `${begin}${shown}\n${end}`);
  if (process.env['UPDATE_DOC'] !== undefined) writeFileSync(file, wanted);
  expect(page).toContain(shown);
});
