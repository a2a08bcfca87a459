import { describe, expect, it } from 'vitest';
import { parseRecordOptions } from '../../../src/config/record-options-schema.ts';
import { formatIp } from '../../../src/core/ip-address.ts';
import { seconds } from '../../../src/core/time.ts';
import { CONTEXT, lineOf } from './options-fixture.ts';

const record = (options: Readonly<Record<string, unknown>>) =>
  parseRecordOptions({ map: ['80'], write: 'out.pcapng', ...options }, CONTEXT);

describe('what is recorded', () => {
  it.each([
    ['80', ['*:80..80']],
    ['192.0.2.1:80', ['192.0.2.1:80..80']],
    ['[2001:db8::1]:8000-8010', ['2001:db8::1:8000..8010']],
    ['80, 8000..8010', ['*:80..80', '*:8000..8010']],
  ])('-x %s', (text, expected) => {
    const { mappings } = record({ map: [text] });
    expect(
      mappings.map(({ online: { address, portFirst, portLast }, target }) => {
        expect(target).toBeUndefined();
        return `${address ? formatIp(address) : '*'}:${portFirst}..${portLast}`;
      }),
    ).toEqual(expected);
  });

  it('on every device, where none is named', () => expect(record({}).input).toEqual({ devices: ['any'] }));
});

it('limits of files', () => {
  expect(record({ maxSize: '100', maxTime: '1h', files: '10' }).recording).toEqual({
    path: 'out.pcapng',
    maxSize: 100 << 20,
    maxAge: seconds(3_600),
    keep: 10,
  });
});

it.each([
  [{ map: [] }, '-x: is required: the ports of the servers to record; as in'],
  [
    { map: ['80-192.0.2.1:80'] },
    "-x 80-192.0.2.1:80: names a target, but nothing is sent; write port, ip:port or a range, as in '80'",
  ],
  [{ map: ['http'] }, '-x http: is no port; write port'],
  [{ map: ['0'] }, '-x 0: 0 is not a port'],
  [{ map: ['90-80'] }, '-x 90-80: the port range 90..80 runs backwards'],
  [{ write: undefined }, '-w: is required: the file to record to; as in'],
  [{ write: '-' }, '-w -: standard output is for the summary'],
  [{ write: '/no/where' }, '-w /no/where: its directory does not exist'],
  [{ write: 'a.pcap', input: ['a.pcap'] }, '-w a.pcap: is the recording that -i reads'],
  [{ files: '3' }, '--files 3: there is one file only; say when another begins: --max-size, --max-time'],
  [{ maxSize: '1K' }, '--max-size 1K: must be a size from 64KB'],
  [{ filter: ' ' }, '-F (empty): is an empty filter'],
])('%j', (options, line) => expect(lineOf(() => record(options))).toContain(line));
