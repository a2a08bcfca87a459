/**
 * What every packet goes through allocates nothing once it is compiled: in, from the ring's batch to the codec; out, from
 * the session to the batch of packets; and back, from the intercept's batch to the session.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Decoder } from '../../../src/control/decoder.ts';
import { MAX_MESSAGE, RESPONSES } from '../../../src/control/protocol.ts';
import { ResponseWriter } from '../../../src/control/response-writer.ts';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { ipv4FromWord } from '../../../src/core/ip-address.ts';
import { PacketBatch } from '../../../src/core/packet-batch.ts';
import { seqAdd, seqNum } from '../../../src/core/seq-num.ts';
import { instant, type Instant } from '../../../src/core/time.ts';
import { EVENT_NONE as NO_TRACKER_EVENT } from '../../../src/reassembly/delivery.ts';
import { ConnectionTracker } from '../../../src/reassembly/tracker.ts';
import { LIVE_TRACKER } from '../../../src/reassembly/tracker-options.ts';
import { SendBufferPool } from '../../../src/session/send-buffer.ts';
import { sessionConfig } from '../../../src/session/session-config.ts';
import { EVENT_NONE } from '../../../src/session/session-event.ts';
import { Session } from '../../../src/session/session.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { Segment, TCP_ACK, TCP_PSH, TCP_SYN } from '../../../src/wire/segment.ts';
import { writeTcpPacket } from '../../../src/wire/tcp-writer.ts';
import { dataHeader } from '../../support/data-header.ts';

const PAYLOAD = 200;
const LINKTYPE_RAW = 101;
/** In one message of the control channel. */
const RECORDS = 16;
/** Few enough that no round meets a collection, which would hide what it allocated. */
const PACKETS = 1_000;
/** What the measuring itself allocates: less than one byte a packet. */
const NOISE = 900;
/** Code that is not compiled yet allocates; a busy machine compiles late. */
const ROUNDS = 3_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** The least that any round of packets allocated, in bytes. */
function leastAllocated(packet: (now: Instant) => void): number {
  let least = Infinity;
  let now = instant(1e12);
  for (let round = 0; round < ROUNDS && least > NOISE; round++) {
    if (round % 50 === 0) collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < PACKETS; i++) packet(now);
    const allocated = process.memoryUsage().heapUsed - before;
    now = instant(now + 100);
    if (allocated >= 0 && allocated < least) least = allocated;
  }
  return least;
}

const header = dataHeader();
const memory = new Uint8Array(512);
const view = new DataView(memory.buffer);
const payload = new Uint8Array(PAYLOAD).fill(120);
const frames = new FrameBatch(1, memory);

describe('the packet path', () => {
  it('is judged by a measure that notices an allocation', () => {
    const kept: object[] = [];
    expect(leastAllocated(() => (kept[0] = { at: kept.length }))).toBeGreaterThan(NOISE);
  });

  it('takes captured packets in without allocating', () => {
    const parser = new FrameParser({ verifyChecksums: true });
    const tracker = new ConnectionTracker({ ...LIVE_TRACKER, oneWay: true, clientOf: () => 'source' });
    const segment = new Segment();
    const segments = [segment];
    let seq = seqNum(1_000);
    let delivered = 0;
    let sent = 0;
    const least = leastAllocated(() => {
      header.seq = seq;
      seq = seqAdd(seq, PAYLOAD);
      sent += PAYLOAD;
      frames.reset(memory);
      const length = writeTcpPacket(memory, view, 0, header, payload, 0, PAYLOAD);
      frames.add(0, length, length, instant(1), LINKTYPE_RAW);
      parser.parse(frames, 0, segment);
      tracker.expect(segments, 1);
      tracker.handleExpected(segment, 0);
      while (tracker.poll() !== NO_TRACKER_EVENT) delivered += tracker.chunk.length;
    });
    expect(least).toBeLessThanOrEqual(NOISE);
    expect(delivered).toBe(sent);
  });

  it('sends requests and takes responses without allocating', () => {
    const pool = new SendBufferPool({ limit: 1 << 20 });
    const local = { address: ipv4FromWord(0x0a00_0001), port: 40_000 };
    const remote = { address: ipv4FromWord(0x0a00_0002), port: 80 };
    const session = new Session(sessionConfig({ sendBuffer: pool }), local, remote, seqNum(1_000));
    const batch = new PacketBatch();
    const segment = new Segment();
    segment.bytes = memory;
    segment.view = view;
    segment.window = 65_535;
    let mine = seqNum(1_001);
    let theirs = seqNum(1);
    const arrive = (now: Instant, flags: number, length: number): void => {
      segment.flags = flags;
      segment.seq = theirs;
      segment.ack = mine;
      segment.payloadMissing = length;
      session.handleSegment(now, segment);
      while (session.poll() !== EVENT_NONE);
      while (session.pollTransmit(now, batch));
    };
    const begun = instant(1e12);
    session.open(begun);
    while (session.pollTransmit(begun, batch));
    theirs = seqNum(0);
    arrive(begun, TCP_SYN | TCP_ACK, 0);
    theirs = seqNum(1);
    const least = leastAllocated((now) => {
      batch.clear();
      session.send(payload, 0, PAYLOAD);
      while (session.pollTransmit(now, batch));
      mine = seqAdd(mine, PAYLOAD);
      arrive(now, TCP_ACK | TCP_PSH, 1_000);
      theirs = seqAdd(theirs, 1_000);
    });
    expect(least).toBeLessThanOrEqual(NOISE);
    expect(session.queued).toBe(0);
  });

  it('carries responses over the control channel without allocating', () => {
    const writer = new ResponseWriter(4_096);
    const decoder = new Decoder();
    decoder.maxMessage = MAX_MESSAGE;
    const from = new Segment();
    const to = new Segment();
    for (let i = 0; i < RECORDS; i++) writer.add(from, 0);
    const message = writer.bytes.subarray(0, writer.length);
    writer.clear();
    let read = 0;
    let written = 0;
    const least = leastAllocated((now) => {
      writer.add(from, 0);
      written++;
      if (writer.records < RECORDS) return;
      writer.finish();
      decoder.push(message);
      writer.clear();
      const responses = decoder.next();
      if (responses?.type !== RESPONSES) throw new Error('not what was written');
      while (responses.reader.next(to, now)) read++;
    });
    expect(least).toBeLessThanOrEqual(NOISE);
    expect(written - read).toBeLessThan(RECORDS);
  });
});
