/** What is recorded of a connection: each packet, as a line, and what a replay of it finds. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { DROP_NONE } from '../../../src/core/drop-reason.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { instant } from '../../../src/core/time.ts';
import { RecordingFiles } from '../../../src/inject/recording-files.ts';
import type { MessageObserver } from '../../../src/replay/message-observer.ts';
import { ConversationRecorder } from '../../../src/replay/conversation-recorder.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { CHECKSUM_BAD, CHECKSUM_GOOD, Segment } from '../../../src/wire/segment.ts';
import { read } from '../pcap/captures.ts';
import { piece } from './replay-rig.ts';

let folder: string;
let files: RecordingFiles;
let recorder: ConversationRecorder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'conversations-'));
  const none = { maxSize: undefined, maxAge: undefined, keep: undefined };
  files = new RecordingFiles({
    path: join(folder, 'a.pcapng'),
    ...none,
    application: 'test',
    comment: '',
    clock: () => instant(0),
    unix: (time) => time,
  });
  files.open();
  recorder = new ConversationRecorder(files);
});

afterEach(() => rmSync(folder, { recursive: true }));

function conversation(version: 4 | 6 = 4): MessageObserver {
  const [client, server] = version === 4 ? ['10.0.0.1', '10.0.0.2'] : ['fd00::1', 'fd00::2'];
  return recorder.observe({
    client: { address: parseIp(client!)!, port: 4000 },
    server: { address: parseIp(server!)!, port: 80 },
    openedBy: 'midstream',
  });
}

/** `C SYN 0:0 len`, with numbers counted from the first of each side; `+n` bytes that are not there. */
function packets(): string[] {
  files.close();
  const { frames, problems } = read([readFileSync(join(folder, 'a.pcapng'))]);
  expect(problems).toEqual([]);
  const parser = new FrameParser({ verifyChecksums: true });
  const segment = new Segment();
  const first: Partial<Record<'C' | 'S', number>> = {};
  return frames.map(({ bytes, length, linkType, time }) => {
    const batch = new FrameBatch(1);
    batch.reset(bytes);
    batch.add(0, bytes.length, length, instant(time), linkType);
    expect(parser.parse(batch, 0, segment)).toBe(DROP_NONE);
    expect(segment.checksum).toBe(segment.payloadMissing > 0 ? segment.checksum : CHECKSUM_GOOD);
    expect(segment.checksum).not.toBe(CHECKSUM_BAD);
    const side = segment.srcPort === 4000 ? 'C' : 'S';
    const flags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK'].filter((_, i) => segment.flags & (1 << i)).join(',');
    first[side] ??= segment.seq;
    const since = (number: number, of: 'C' | 'S') => (number - (first[of] ?? 0)) >>> 0;
    const seq = since(segment.seq, side);
    const ack = segment.flags & 16 ? since(segment.ack, side === 'C' ? 'S' : 'C') : '-';
    const text = Buffer.from(bytes).subarray(segment.payloadOffset, segment.payloadOffset + segment.payloadLength);
    const payload = segment.payloadMissing > 0 ? `+${segment.payloadMissing}` : text.toString();
    return `${side} ${flags} ${seq}:${ack} ${payload.length > 20 ? payload.length : payload}`.trim();
  });
}

const HANDSHAKE = ['C SYN 0:-', 'S SYN,ACK 0:1', 'C ACK 1:1'];
const say = (observer: MessageObserver, text: string, answers = 0, first = true) =>
  observer.bytes(piece(text, { answers, first }));

it('a request, the length of its response, another, and the end', () => {
  const c = conversation();
  say(c, 'one');
  say(c, 'two', 300);
  c.ended('fin', 20);
  expect(packets()).toEqual([
    ...HANDSHAKE,
    'C PSH,ACK 1:1 one',
    'S PSH,ACK 1:4 +300',
    'C PSH,ACK 4:301 two',
    'S PSH,ACK 301:7 +20',
    'C FIN,ACK 7:321',
    'S FIN,ACK 321:8',
    'C ACK 8:322',
  ]);
});

it.each([
  [4, 1460],
  [6, 1440],
] as const)('IPv%i: segments of an ordinary size, acknowledged now and then', (version, mss) => {
  const c = conversation(version);
  say(c, 'x'.repeat(2 * mss + 5));
  say(c, 'y'.repeat(40_000), 0, false);
  const [, , , ...data] = packets();
  expect(data.slice(0, 3)).toEqual([
    `C ACK 1:1 ${mss}`,
    `C ACK ${1 + mss}:1 ${mss}`,
    `C PSH,ACK ${1 + 2 * mss}:1 xxxxx`,
  ]);
  const acks = data.filter((line) => line.startsWith('S'));
  expect(acks).toHaveLength(1);
  expect(Number(/:(\d+)/.exec(acks[0]!)![1])).toBeGreaterThan(32 << 10);
});

it('a long response is several packets of headers', () => {
  const c = conversation();
  say(c, 'one');
  say(c, 'two', 150_000);
  expect(packets().slice(4, -1)).toEqual(['S ACK 1:4 +65495', 'S ACK 65496:4 +65495', 'S PSH,ACK 130991:4 +19010']);
});

describe('bytes that the capture lost', () => {
  it('end the conversation; the next message begins another', () => {
    const c = conversation();
    say(c, 'half');
    c.broken();
    c.broken();
    say(c, 'whole', 7);
    c.ended('gone', 0);
    expect(packets()).toEqual([
      ...HANDSHAKE,
      'C PSH,ACK 1:1 half',
      'C RST,ACK 5:1',
      'C SYN 1000005:-',
      'S SYN,ACK 1000001:1000006',
      'C ACK 1000006:1000002',
      'S PSH,ACK 1000002:1000006 +7',
      'C PSH,ACK 1000006:1000009 whole',
    ]);
  });

  it('before anything passed leave nothing', () => {
    const c = conversation();
    c.broken();
    c.ended('rst', 9);
    expect(packets()).toEqual([]);
  });
});

it("a reset is the client's, and the server's FIN is no byte of a response", () => {
  const c = conversation();
  say(c, 'one');
  c.ended('rst', 1);
  expect(packets().slice(3)).toEqual(['C PSH,ACK 1:1 one', 'C RST,ACK 4:1']);
});

it('time does not go back: what waited for a plugin stands where it went on', () => {
  const [a, b] = [conversation(), conversation()];
  a.bytes({ ...piece('late'), time: instant(5_000) });
  b.bytes({ ...piece('early'), time: instant(1_000) });
  files.close();
  const times = read([readFileSync(join(folder, 'a.pcapng'))]).frames.map(({ time }) => time);
  expect(new Set(times)).toEqual(new Set([5_000]));
});
