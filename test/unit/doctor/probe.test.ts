import { describe, expect, it } from 'vitest';
import { LINKTYPE_RAW } from '../../../src/capture/link-type.ts';
import { SightingReader } from '../../../src/capture/frame-sighting.ts';
import { FRAME_OUTGOING, FrameBatch } from '../../../src/core/frame-batch.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { PacketBatch } from '../../../src/core/packet-batch.ts';
import { seqAdd, seqNum } from '../../../src/core/seq-num.ts';
import type { Sighting } from '../../../src/core/sighting.ts';
import { instant } from '../../../src/core/time.ts';
import { Probe, type ProbeRoute } from '../../../src/doctor/probe.ts';
import { TCP_ACK, TCP_RST, TCP_SYN } from '../../../src/wire/segment.ts';
import { putMss } from '../../../src/wire/tcp-options-writer.ts';
import { segment } from '../control/samples.ts';

const ROUTE: ProbeRoute = {
  kind: 'client',
  source: parseIp('10.9.8.1')!,
  sourcePort: 2048,
  target: parseIp('192.0.2.10')!,
  targetPort: 8080,
};

/** What a probe has written, as a watch would see it leave. */
function written(write: (batch: PacketBatch) => unknown): Sighting[] {
  const packets = new PacketBatch();
  write(packets);
  const frames = new FrameBatch(8, packets.bytes);
  for (let i = 0; i < packets.count; i++) {
    frames.add(packets.offset[i]!, packets.length[i]!, packets.length[i]!, instant(1), LINKTYPE_RAW, FRAME_OUTGOING);
  }
  const reader = new SightingReader();
  return Array.from({ length: packets.count }, (_, i) => reader.read(frames, i, 'eth0', false)!);
}

function answer(probe: Probe, flags: number, ack: number, more: { options?: Uint8Array; seq?: number } = {}): boolean {
  return probe.handle(
    segment({ src: '192.0.2.10', srcPort: 8080, dst: '10.9.8.1', dstPort: 2048, flags, ack, seq: 900, ...more }),
  );
}

const mss = new Uint8Array(4);
putMss(mss, 0, 1400);

describe('Probe', () => {
  it('is a SYN that can be known again', () => {
    const [syn] = written((batch) => new Probe(ROUTE, 0, 1460).writeSyn(batch));
    expect(syn).toMatchObject({ source: ROUTE.source, sourcePort: 2048, destinationPort: 8080, flags: TCP_SYN });
    expect(syn!.seq >>> 16).toBe(0x7463);
  });

  it('is as large as it should be', () => {
    const batch = new PacketBatch();
    new Probe(ROUTE, 1500, 1460).writeSyn(batch);
    expect(batch.length[0]).toBe(1500);
    const small = new Probe(ROUTE, 0, 1460);
    small.writeSyn(batch);
    expect(small.evidence().size).toBe(batch.length[1]);
  });

  it('answers an answer with too small an acknowledgement, once, then a reset', () => {
    const probe = new Probe(ROUTE, 0, 1460);
    const [syn] = written((batch) => probe.writeSyn(batch));
    expect(written((batch) => probe.writeFollowUp(batch))).toEqual([]);
    expect(answer(probe, TCP_SYN | TCP_ACK, seqAdd(seqNum(syn!.seq), 1), { options: mss })).toBe(true);
    expect(probe).toMatchObject({ matched: 'syn-ack', mss: 1400 });
    expect(written((batch) => probe.writeFollowUp(batch))).toMatchObject([
      { flags: TCP_ACK, seq: syn!.seq + 1, ack: 900 },
    ]);
    expect(written((batch) => probe.writeFollowUp(batch))).toEqual([]);
    expect(written((batch) => probe.writeReset(batch))).toMatchObject([
      { flags: TCP_RST | TCP_ACK, seq: syn!.seq + 1 },
    ]);
  });

  it('is answered by what acknowledges it, and by nothing else', () => {
    const probe = new Probe(ROUTE, 0, 1460);
    const [syn] = written((batch) => probe.writeSyn(batch));
    const acknowledging = seqAdd(seqNum(syn!.seq), 1);
    answer(probe, TCP_ACK, acknowledging);
    answer(probe, TCP_RST, 0);
    answer(probe, TCP_SYN | TCP_ACK, syn!.seq);
    expect(probe.answered).toBe(false);
    answer(probe, TCP_RST | TCP_ACK, acknowledging);
    expect(probe.matched).toBe('rst');
    expect(probe.handle(segment({ dstPort: 2049 }))).toBe(false);
  });

  it('takes data in a SYN for acknowledged or not', () => {
    for (const taken of [0, 1448]) {
      const probe = new Probe(ROUTE, 1500, 1460);
      const [syn] = written((batch) => probe.writeSyn(batch));
      answer(probe, TCP_SYN | TCP_ACK, seqAdd(seqNum(syn!.seq), 1 + taken));
      expect(probe.matched).toBe('syn-ack');
    }
  });

  it('tells where it was seen, and whether its follow-up left', () => {
    const probe = new Probe(ROUTE, 0, 1460);
    const [syn] = written((batch) => probe.writeSyn(batch));
    probe.see('online', syn!);
    probe.see('online', syn!);
    answer(probe, TCP_SYN | TCP_ACK, seqAdd(seqNum(syn!.seq), 1));
    const [ack] = written((batch) => probe.writeFollowUp(batch));
    expect(probe.evidence()).toMatchObject({ leftBy: 'eth0', ack: 'lost' });
    probe.see('online', ack!);
    expect(probe.evidence()).toMatchObject({ ack: 'left', seen: [{ at: 'online', kind: 'probe', outgoing: true }] });
  });

  it('tells its own resets from those of a kernel', () => {
    const probe = new Probe(ROUTE, 0, 1460);
    const [own] = written((batch) => probe.writeReset(batch));
    probe.see('online', own!);
    expect(probe.evidence().seen).toEqual([]);
    probe.see('online', { ...own!, flags: TCP_RST });
    expect(probe.evidence().seen).toMatchObject([{ kind: 'rst-of-client' }]);
  });

  it('keeps errors of its SYN and of its follow-up apart', () => {
    const refused = new Probe(ROUTE, 0, 1460);
    written((batch) => refused.writeSyn(batch));
    refused.failed('EPERM');
    expect(refused.evidence()).toMatchObject({ sendError: 'EPERM', ack: 'not-sent' });
    const invalid = new Probe(ROUTE, 0, 1460);
    const [syn] = written((batch) => invalid.writeSyn(batch));
    answer(invalid, TCP_SYN | TCP_ACK, seqAdd(seqNum(syn!.seq), 1));
    written((batch) => invalid.writeFollowUp(batch));
    invalid.failed('EPERM');
    expect(invalid.evidence()).toMatchObject({ sendError: undefined, ack: { error: 'EPERM' } });
  });
});
