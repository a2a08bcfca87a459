import { describe, expect, it } from 'vitest';
import { micros } from '../../../src/core/time.ts';
import {
  InspectionTable,
  inspectionTotals,
  unreadablePart,
  type InspectionRow,
} from '../../../src/report/inspection-table.ts';

const row: InspectionRow = {
  client: '192.0.2.1:40000',
  server: '198.51.100.1:80',
  openedBy: 'syn',
  end: 'fin',
  duration: micros(1_500),
  c2s: {
    bytes: 100,
    seen: 12_345,
    gaps: [
      [100, 20, 'hole'],
      [300, 1_500, 'tail'],
    ],
  },
  s2c: { bytes: 7, seen: 7, gaps: [] },
};

describe('InspectionTable', () => {
  it('prints aligned columns under one heading', () => {
    const lines: string[] = [];
    const table = new InspectionTable((line) => lines.push(line));
    table.add(row);
    table.add({ ...row, client: '[2001:db8::1]:1', openedBy: 'midstream', end: 'reset', c2s: row.s2c });
    table.flush();
    expect(lines).toEqual([
      'client           server           to server  to client  lasted  opened  ended   missing',
      '192.0.2.1:40000  198.51.100.1:80     12,345          7  1.5 ms  SYN     closed  1.52 kB to server in 2 gaps',
      '[2001:db8::1]:1  198.51.100.1:80          7          7  1.5 ms  before  reset',
    ]);
  });

  it('on a narrow terminal what is missing stands below', () => {
    const lines: string[] = [];
    const table = new InspectionTable((line) => lines.push(line), 80);
    table.add(row);
    table.add({ ...row, c2s: row.s2c });
    table.flush();
    expect(lines).toEqual([
      'client           server           to server  to client  lasted  opened  ended',
      '192.0.2.1:40000  198.51.100.1:80     12,345          7  1.5 ms  SYN     closed',
      '      missing: 1.52 kB to server in 2 gaps',
      '192.0.2.1:40000  198.51.100.1:80          7          7  1.5 ms  SYN     closed',
    ]);
  });

  it('prints long lists in blocks, without waiting for the end', () => {
    const lines: string[] = [];
    const table = new InspectionTable((line) => lines.push(line));
    for (let i = 0; i < 450; i++) table.add(row);
    expect(lines).toHaveLength(401);
    table.flush();
    expect(lines).toHaveLength(451);
    expect(lines.filter((line) => line.startsWith('client'))).toHaveLength(1);
  });

  it('prints nothing for nothing', () => {
    const lines: string[] = [];
    new InspectionTable((line) => lines.push(line)).flush();
    expect(lines).toEqual([]);
  });
});

describe('the lines after it', () => {
  const totals = {
    frames: 1_003,
    segments: 1_000,
    connections: 1,
    drops: { 'not-ip': 1, 'not-tcp': 2 },
    unreadable: [],
  };

  it('add up', () => {
    expect(inspectionTotals(totals)).toBe('1 connection in 1,003 frames: 1,000 TCP segments, 2 not-tcp, 1 not-ip');
  });

  it('say what was not readable, if anything', () => {
    expect(unreadablePart(totals)).toBe('');
    const unreadable = [{ bytes: 12, reason: 'the file ends in the middle of a record' }];
    expect(unreadablePart({ ...totals, unreadable })).toBe(
      'not readable: 12 bytes: the file ends in the middle of a record; the 1,003 sound frames read',
    );
  });
});
