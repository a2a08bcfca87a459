import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConnectionTracker } from '../../../src/reassembly/tracker.ts';
import { RECORDING_TRACKER } from '../../../src/reassembly/tracker-options.ts';
import { ConnectionInspector, type InspectedConnection } from '../../../src/replay/connection-inspector.ts';
import type { Segment } from '../../../src/wire/segment.ts';
import { clientSegment as c, serverSegment as s } from '../../support/segment-builder.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

function inspect(segments: readonly Segment[]): InspectedConnection[] {
  const found: InspectedConnection[] = [];
  const tracker: ConstructorParameters<typeof ConnectionInspector>[0] = new ConnectionTracker(RECORDING_TRACKER);
  const inspector = new ConnectionInspector(tracker, (connection) => found.push(connection));
  for (const segment of segments) {
    tracker.handle(segment);
    inspector.drain();
    segment.bytes.fill(0);
  }
  tracker.finish();
  inspector.drain();
  expect(inspector.connections).toBe(found.length);
  return found;
}

describe('ConnectionInspector', () => {
  it('hashes each stream up to its first gap, and lists the gaps', () => {
    const [connection] = inspect([
      c({ flags: 'S', seq: 100, at: 1 }),
      s({ flags: 'SA', seq: 500, ack: 101, at: 2 }),
      c({ seq: 101, ack: 501, data: 'ab', at: 3 }),
      c({ seq: 106, ack: 501, data: 'fg', at: 4 }),
      s({ seq: 501, ack: 110, data: 'answer', at: 6 }),
    ]);
    expect(connection).toMatchObject({
      client: '192.0.2.1:40000',
      server: '198.51.100.1:80',
      openedBy: 'syn',
      end: 'input-ended',
      duration: 5_000,
      c2s: {
        bytes: 2,
        sha256: sha256('ab'),
        seen: 4,
        gaps: [
          [2, 3, 'hole'],
          [7, 2, 'tail'],
        ],
      },
      s2c: { bytes: 6, sha256: sha256('answer'), seen: 6, gaps: [] },
    });
  });

  it.each([
    { says: 'its request', data: 'GET / HTTP/1.1\r\n', answer: 'x', ports: [80, 40_000] },
    { says: 'the response', data: 'x', answer: '-ERR unknown command\r\n', ports: [80, 40_000] },
    {
      says: 'its command, on ports that nobody knows',
      data: '*1\r\n$4\r\nPING',
      answer: ':1',
      ports: [33_000, 40_000],
    },
    { says: 'the port, where commands and replies look alike', data: ':1', answer: '*1\r\n$1', ports: [40_000, 6379] },
  ])('tells the client without a SYN: $says', ({ data, answer, ports: [clientPort, serverPort] }) => {
    const ends = { clientPort: clientPort!, serverPort: serverPort! };
    const found = inspect([c({ seq: 5, ack: 9, data }, ends), s({ seq: 9, ack: 99, data: answer }, ends)]);
    expect(found).toMatchObject([{ client: `192.0.2.1:${clientPort}`, c2s: { seen: data.length } }]);
  });

  it('reports in order of first packet, however they end', () => {
    const first = { clientPort: 1_001 };
    const second = { clientPort: 1_002 };
    const found = inspect([
      c({ flags: 'S', seq: 1 }, first),
      c({ flags: 'S', seq: 1 }, second),
      c({ flags: 'FA', seq: 2, ack: 1 }, second),
      s({ flags: 'SA', seq: 0, ack: 2 }, second),
      s({ flags: 'FA', seq: 1, ack: 3 }, second),
      c({ seq: 2, ack: 1, data: 'x' }, first),
    ]);
    expect(found.map((f) => [f.client, f.end])).toEqual([
      ['192.0.2.1:1001', 'input-ended'],
      ['192.0.2.1:1002', 'fin'],
    ]);
  });

  it.each([
    ['GET / HTTP/1.1\r\n', 'HTTP/1.1 200 OK\r\n'],
    ['*1\r\n$4\r\nPING\r\n', '+OK\r\n'],
  ])('tells from what they say who is who, where the ports do not: %j', (request, response) => {
    // By ports 9000 would be the server.
    const ends = { clientPort: 9_000, serverPort: 40_000 };
    for (const segments of [[c({ seq: 1, data: request }, ends)], [s({ seq: 1, data: response }, ends)]]) {
      expect(inspect(segments)[0]).toMatchObject({ client: '192.0.2.1:9000', server: '198.51.100.1:40000' });
    }
    expect(inspect([c({ seq: 1, data: '?' }, ends)])[0]).toMatchObject({ server: '192.0.2.1:9000' });
  });
});
