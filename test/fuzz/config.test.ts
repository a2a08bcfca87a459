// Invariant: whatever a command line or a configuration file holds, options come of it, or one readable line of error.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config-file.ts';
import { parseCopyOptions } from '../../src/config/copy-options-schema.ts';
import { parseInterceptOptions } from '../../src/config/intercept-options-schema.ts';
import { rawCopySchema, rawInterceptSchema, rawRecordSchema } from '../../src/config/raw-options.ts';
import { parseRecordOptions } from '../../src/config/record-options-schema.ts';
import { TcpcopyError } from '../../src/core/errors.ts';
import { fuzzRuns } from '../support/fuzzing.ts';
import { CONTEXT } from '../unit/config/options-fixture.ts';

const LONGEST_LINE = 600;

/** What people write, to be cut, joined and damaged. */
const WRITTEN = [
  ...[
    '80-192.0.2.10:8080',
    '192.0.2.1:80-192.0.2.10:8080',
    '[2001:db8::1]:80-[2001:db8::2]:80',
    '8000-8010-192.0.2.1:9000',
  ],
  ...[
    '10.9.8.x',
    '10.9.8.0/24',
    '2001:db8::/64',
    '192.0.2.20:36524',
    'any',
    'eth0,eth1',
    'traffic.pcapng',
    '-',
    'a.pcap',
  ],
  ...[
    '10%',
    '0.5',
    '1s',
    '500ms',
    '10m',
    '64MB',
    '1g',
    '-1',
    '0',
    '65536',
    '1e9',
    'NaN',
    'Infinity',
    '0x10',
    '１２',
    '',
  ],
  ...[
    'sample=10%',
    'http-host-rewrite=a,b=c',
    "exec='a b',timeout=1s",
    'x=\\,',
    'disable-after=3',
    'drop',
    'auto',
    'ring',
  ],
  ...[
    'key',
    'a.crt',
    'a.key',
    '/no/where',
    'dir',
    'tcp port 80',
    '\0',
    '\n',
    '../..',
    '$(id)',
    '%s%n',
    'a'.repeat(300),
  ],
];

const text = fc.oneof(
  fc.constantFrom(...WRITTEN),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .tuple(fc.constantFrom(...WRITTEN), fc.nat(60), fc.string({ maxLength: 3 }))
    .map(([written, at, put]) => written.slice(0, at) + put + written.slice(at + 1)),
  fc.array(fc.constantFrom(...WRITTEN), { minLength: 2, maxLength: 4 }).map((parts) => parts.join(',')),
);
/** As commander hands it on, and as it never would. */
const value = fc.oneof(
  { weight: 6, arbitrary: text },
  { weight: 3, arbitrary: fc.array(text, { maxLength: 3 }) },
  { weight: 2, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
);

function optionsOf(keys: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  return fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 6 });
}

/** Runs it; an error must be ours and one line. */
function tried(attempt: () => unknown): void {
  try {
    attempt();
  } catch (error) {
    if (!(error instanceof TcpcopyError)) throw error;
    const line = error.oneLine();
    expect(line).not.toMatch(/[\u0000-\u0008\u000a-\u001f]/);
    expect(line.length).toBeLessThan(LONGEST_LINE);
  }
}

const SCHEMAS = [
  [
    'tcpcopy',
    Object.keys(rawCopySchema.shape),
    parseCopyOptions,
    { map: ['80-192.0.2.10:8080'], intercept: ['192.0.2.2'] },
  ],
  ['tcpcopy record', Object.keys(rawRecordSchema.shape), parseRecordOptions, { map: ['80'], write: 'out.pcapng' }],
  ['intercept', Object.keys(rawInterceptSchema.shape), parseInterceptOptions, {}],
] as const;

describe('options', () => {
  it.each(SCHEMAS)('of %s', (_name, keys, parse, enough) => {
    fc.assert(
      fc.property(optionsOf(keys), fc.boolean(), (given, complete) =>
        tried(() => parse(complete ? { ...enough, ...given } : given, CONTEXT)),
      ),
      { numRuns: fuzzRuns(4_000) },
    );
  });

  it('of a configuration file', () => {
    const keys = [...Object.keys(rawCopySchema.shape), 'plugins', 'toString', '__proto__'];
    const content = fc.oneof(optionsOf(keys), fc.jsonValue({ maxDepth: 3 }), fc.constant(undefined));
    fc.assert(
      fc.property(content, (read) =>
        tried(() => parseCopyOptions(readConfig(read, 'tcpcopy.config.json', '/'), CONTEXT)),
      ),
      { numRuns: fuzzRuns(4_000) },
    );
  });
});
