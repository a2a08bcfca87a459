import { describe, expect, it } from 'vitest';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { PacketBatch } from '../../../src/core/packet-batch.ts';
import { seqNum } from '../../../src/core/seq-num.ts';
import { instant } from '../../../src/core/time.ts';
import { StrayReset } from '../../../src/replay/stray-reset.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { Segment, TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from '../../../src/wire/segment.ts';

function stray(flags: number, fields: Partial<Segment> = {}): Segment {
  const segment = new Segment();
  const server = parseIp('192.0.2.10')!;
  const client = parseIp('198.51.100.7')!;
  Object.assign(segment, { src0: server.w0, src1: server.w1, src2: server.w2, src3: server.w3, srcPort: 80 });
  Object.assign(segment, { dst0: client.w0, dst1: client.w1, dst2: client.w2, dst3: client.w3, dstPort: 2000 });
  Object.assign(segment, { flags, seq: seqNum(7_000), ack: seqNum(9_000), ...fields });
  return segment;
}

/** What was written, read back; `undefined` when nothing was. */
function answer(segment: Segment): string | undefined {
  const batch = new PacketBatch(4, 1_024);
  if (!new StrayReset().write(segment, batch)) {
    expect(batch.count).toBe(0);
    return undefined;
  }
  const frames = new FrameBatch(1, batch.bytes);
  frames.add(batch.offset[0]!, batch.length[0]!, batch.length[0]!, instant(0), 101);
  const read = new Segment();
  expect(new FrameParser({ verifyChecksums: true }).parse(frames, 0, read)).toBe(0);
  expect(read.checksum).toBe(0);
  return read.toString();
}

describe('a stray segment is answered as a closed port would', () => {
  it('a repeated FIN, at the number its sender expects', () => {
    expect(answer(stray(TCP_FIN | TCP_ACK))).toBe('198.51.100.7:2000 > 192.0.2.10:80 RST seq 9000 ack 0 win 0 len 0');
  });

  it('data, whether or not the intercept sent its bytes along', () => {
    expect(answer(stray(TCP_PSH | TCP_ACK, { payloadMissing: 100 }))).toMatch(/RST seq 9000/);
  });

  it('a segment without ACK: the RST acknowledges all of it', () => {
    expect(answer(stray(TCP_SYN, { payloadMissing: 5 }))).toMatch(/RST,ACK seq 0 ack 7006/);
  });

  it('but neither a RST nor a bare ACK', () => {
    expect(answer(stray(TCP_RST))).toBeUndefined();
    expect(answer(stray(TCP_RST | TCP_ACK, { payloadMissing: 9 }))).toBeUndefined();
    expect(answer(stray(TCP_ACK))).toBeUndefined();
  });
});
