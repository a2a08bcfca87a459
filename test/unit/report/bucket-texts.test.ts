import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DROP_REASONS } from '../../../src/core/drop-reason.ts';
import { CONNECTION_TEXTS, FRAME_TEXTS, UNIT_TEXTS } from '../../../src/report/bucket-texts.ts';
import { CONNECTION_BUCKETS, UNIT_BUCKETS } from '../../../src/report/ledger.ts';

const documentation = readFileSync(new URL('../../../docs/ledger.md', import.meta.url), 'utf8');

describe.each([
  ['units', UNIT_BUCKETS, UNIT_TEXTS],
  ['connections', CONNECTION_BUCKETS, CONNECTION_TEXTS],
  ['frames', DROP_REASONS.slice(1), FRAME_TEXTS],
] as const)('%s', (_name, names, texts) => {
  it('every bucket is explained, and nothing else', () => {
    expect(Object.keys(texts).toSorted()).toEqual(names.toSorted());
    for (const { meaning } of Object.values(texts)) expect(meaning.length).toBeGreaterThan(5);
  });

  it('every bucket is in docs/ledger.md', () => {
    for (const name of names) expect(documentation).toContain(`\`${name}\``);
  });
});
