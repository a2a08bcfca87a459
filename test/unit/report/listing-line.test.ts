import { describe, expect, it } from 'vitest';
import { micros } from '../../../src/core/time.ts';
import { dryRunHeading, dryRunLines, type DryRunLine } from '../../../src/report/dry-run-line.ts';
import { listingLines } from '../../../src/report/listing-line.ts';
import { requestLines } from '../../../src/report/request-lines.ts';

describe('a line of a listing', () => {
  it('is one line without a terminal, and where it fits', () => {
    expect(listingLines('a  b', 'some text', undefined)).toEqual(['a  b  some text']);
    expect(listingLines('a  b', 'some text', 15)).toEqual(['a  b  some text']);
    expect(listingLines('a  b  ', '', 80)).toEqual(['a  b']);
    expect(listingLines('a', 'x'.repeat(400), undefined)).toEqual([`a  ${'x'.repeat(296)}…`]);
  });

  it('else the text stands below, broken where it must be', () => {
    const text = `GET ${'/path'.repeat(7)} and more`;
    const lines = listingLines('192.0.2.1:1  7', text, 32);
    expect(lines).toEqual([
      '192.0.2.1:1  7',
      '      GET',
      '      /path/path/path/path/path/',
      '      path/path',
      '      and more',
    ]);
    expect(listingLines('a', 'x'.repeat(400), 80).join('').replaceAll(' ', '')).toBe(`a${'x'.repeat(299)}…`);
  });
});

it('the requests of a dry run fit a terminal of 80 columns', () => {
  const line: DryRunLine = {
    client: '198.51.100.101:61700',
    target: undefined,
    bytes: 76,
    text: 'GET shop.example/item?id=11',
    outcome: 'dropped',
    dropped: { plugin: 'sample', reason: 'not in the sample' },
    copies: 1,
    delayed: micros(0),
  };
  expect(dryRunLines({ ...line, dropped: undefined, outcome: 'as it is' }, 80)).toEqual([
    '198.51.100.101:61700   as it is        76  GET shop.example/item?id=11',
  ]);
  expect(dryRunLines(line, 80)).toEqual([
    '198.51.100.101:61700   dropped         76',
    '      (sample: not in the sample) GET shop.example/item?id=11',
  ]);
  expect(dryRunLines({ ...line, target: '192.0.2.10:8080' }, undefined)).toEqual([
    '198.51.100.101:61700   192.0.2.10:8080        dropped         76  (sample: not in the sample) GET shop.example/item?id=11',
  ]);
  expect(dryRunHeading(true)).toBe('client                 target                 outcome      bytes  request');
});

it('those of a recording too', () => {
  const request = {
    connection: 1,
    client: '198.51.100.7:61700',
    since: micros(0),
    text: 'GET shop.example/item?id=1',
    bytes: 63,
    whole: true,
    verdict: { dropped: undefined, copies: 1, delayed: micros(0) },
    changes: [{ plugin: 'x', before: Buffer.from('a'), after: Buffer.from('b') }],
    response: { status: 200, after: micros(143) },
  };
  expect(requestLines(request, 80)).toEqual([
    '   1  198.51.100.7:61700       +0.000       63     200    143 µs',
    '      GET shop.example/item?id=1',
    '      x',
    '        - a',
    '        + b',
  ]);
  expect(requestLines(request, undefined)[0]).toMatch(/143 µs {2}GET shop.example\/item\?id=1$/);
});
