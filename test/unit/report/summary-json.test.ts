import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { CONNECTION_BUCKETS, UNIT_BUCKETS } from '../../../src/report/ledger.ts';
import { summaryObject, writeJsonFile } from '../../../src/report/summary-json.ts';
import { FACTS, ledgerOf } from './ledger-fixture.ts';

const documentation = readFileSync(new URL('../../../docs/ledger.md', import.meta.url), 'utf8');

describe('the object', () => {
  const ledger = ledgerOf({ answered: 8, reset: 2, filtered: 1 }, { replayed: 2 });
  const summary = summaryObject(ledger, FACTS, 0);

  it('holds every bucket and the sums over them', () => {
    expect(Object.keys(summary.requests.buckets)).toEqual([...UNIT_BUCKETS]);
    expect(Object.keys(summary.connections.buckets)).toEqual([...CONNECTION_BUCKETS]);
    expect(summary).toMatchObject({
      schema: 'tcpcopy-summary/1',
      exitCode: 0,
      balanced: true,
      fidelityPercent: 80,
      elapsedSeconds: 10,
      requests: { captured: 11, delivered: 8, excluded: 1, lost: 2, buckets: { reset: 2 } },
      delayMs: { p50: 0.4, p99: 2.1 },
    });
  });

  it('says null for what cannot be told, and survives JSON unchanged', () => {
    const sources = [{ name: 'x', frames: 1, kernelDropped: undefined, unreadable: [] }];
    const intercepts = [{ address: 'a:1', connected: false, outages: [{ from: seconds(1), to: undefined }] }];
    const bare = summaryObject(
      ledger,
      { ...FACTS, sources, intercepts, lag: undefined, sent: undefined, endedBy: undefined },
      1,
    );
    expect(bare).toMatchObject({
      endedBy: null,
      writeFile: null,
      delayMs: null,
      sources: [{ kernelDropped: null }],
      intercepts: [{ outages: [{ fromSeconds: 1, toSeconds: null }] }],
      target: { packets: null, sendFailures: {} },
    });
    expect(JSON.parse(JSON.stringify(bare))).toEqual(bare);
  });

  it('has no field that docs/ledger.md does not name, at any depth', () => {
    const names = new Set<string>();
    const walk = (value: unknown, path: string): void => {
      if (Array.isArray(value)) value.forEach((item) => walk(item, path));
      else if (typeof value === 'object' && value !== null) {
        for (const [key, item] of Object.entries(value)) {
          if (!path.endsWith('buckets') && !path.endsWith('dropped')) names.add(key);
          walk(item, `${path}.${key}`);
        }
      }
    };
    const outages = [{ from: seconds(1), to: seconds(2) }];
    const sources = [{ ...FACTS.sources[0]!, unreadable: [{ bytes: 1, reason: 'x' }] }];
    walk(summaryObject(ledger, { ...FACTS, sources, intercepts: [{ ...FACTS.intercepts[0]!, outages }] }, 0), '');
    for (const name of names) expect(documentation).toContain(`\`${name}\``);
  });
});

describe('the file', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'summary-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('is written whole and replaces an older one', () => {
    const path = join(dir, 'out.json');
    writeJsonFile(path, { a: 1 });
    writeJsonFile(path, { a: 2 });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ a: 2 });
    expect(readdirSync(dir)).toEqual(['out.json']);
  });

  it('that cannot be written is a one-line error and leaves nothing behind', () => {
    const path = join(dir, 'missing', 'out.json');
    expect(() => writeJsonFile(path, {})).toThrow(expect.objectContaining({ code: 'E_FILE' }));
    mkdirSync(join(dir, 'taken'));
    expect(() => writeJsonFile(join(dir, 'taken'), {})).toThrow(expect.objectContaining({ code: 'E_FILE' }));
    expect(readdirSync(dir)).toEqual(['taken']);
  });

  it('may be a device', () => expect(() => writeJsonFile('/dev/null', { a: 1 })).not.toThrow());
});
