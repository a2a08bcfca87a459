import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DROP_NONE } from '../../../src/core/drop-reason.ts';
import { FRAME_CHECKSUM_PARTIAL, FRAME_OUTGOING, FrameBatch, NO_VLAN } from '../../../src/core/frame-batch.ts';
import { instant } from '../../../src/core/time.ts';
import { RecordingFiles } from '../../../src/inject/recording-files.ts';
import { FrameRecorder } from '../../../src/replay/frame-recorder.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { CHECKSUM_GOOD, Segment } from '../../../src/wire/segment.ts';
import { TcpHeader, writeTcpPacket } from '../../../src/wire/tcp-writer.ts';
import { read, type Frame } from '../pcap/captures.ts';

const HEADERS: Readonly<Record<number, number[]>> = {
  1: [...Array<number>(12).fill(7), 8, 0],
  113: [...Array<number>(14).fill(0), 8, 0],
  276: [8, 0, ...Array<number>(18).fill(0)],
  101: [],
};

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'frames-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function packet(): Uint8Array {
  const bytes = new Uint8Array(47);
  const header = new TcpHeader();
  [header.src2, header.src3, header.dst2, header.dst3] = [0xffff, 0x0a000001, 0xffff, 0x0a000002];
  [header.srcPort, header.dstPort] = [4000, 80];
  writeTcpPacket(bytes, new DataView(bytes.buffer), 0, header, new TextEncoder().encode('request'), 0, 7);
  return bytes;
}

/** One frame, recorded and read back. */
function recorded(linkType: number, ip: Uint8Array, flags: number, vlanTci: number, lead = 3): Frame {
  const frame = Uint8Array.from([...Array<number>(lead).fill(9), ...HEADERS[linkType]!, ...ip]);
  const batch = new FrameBatch(1);
  batch.reset(frame);
  batch.add(lead, frame.length - lead, frame.length - lead, instant(1_000), linkType, flags, vlanTci);
  const segment = new Segment();
  const reason = new FrameParser({ verifyChecksums: false }).parse(batch, 0, segment);
  expect(reason).toBe(DROP_NONE);
  const before = frame.slice();
  const none = { maxSize: undefined, maxAge: undefined, keep: undefined };
  const path = join(folder, 'a.pcapng');
  const files = new RecordingFiles({
    path,
    ...none,
    application: '',
    comment: '',
    clock: () => instant(0),
    unix: (time) => time,
  });
  files.open();
  new FrameRecorder(files).record('eth0', batch, 0, reason, segment);
  files.close();
  expect(frame).toEqual(before);
  return read([readFileSync(path)]).frames[0]!;
}

it.each([1, 113, 276, 101])('link type %i: a frame is stored as it was captured', (linkType) => {
  const frame = recorded(linkType, packet(), FRAME_OUTGOING, NO_VLAN);
  expect(frame).toMatchObject({ linkType, time: 1_000, flags: FRAME_OUTGOING });
  expect([...frame.bytes]).toEqual([...HEADERS[linkType]!, ...packet()]);
});

it.each([1, 101])('link type %i: a checksum that was left to the NIC is finished', (linkType) => {
  const unfinished = packet();
  unfinished.set([0x12, 0x34], 36);
  const frame = recorded(linkType, unfinished, FRAME_CHECKSUM_PARTIAL, NO_VLAN);
  expect([...frame.bytes]).toEqual([...HEADERS[linkType]!, ...packet()]);
});

it.each([1, 113, 276])('link type %i: a VLAN tag that the kernel had taken out is put back', (linkType) => {
  const frame = recorded(linkType, packet(), 0, 0x6042);
  const batch = new FrameBatch(1);
  batch.reset(frame.bytes);
  batch.add(0, frame.bytes.length, frame.length, instant(0), frame.linkType);
  const segment = new Segment();
  expect(new FrameParser({ verifyChecksums: true }).parse(batch, 0, segment)).toBe(DROP_NONE);
  expect(frame.bytes.length).toBe(HEADERS[linkType]!.length + 4 + packet().length);
  expect(Buffer.from(frame.bytes).includes(Buffer.of(0x60, 0x42, 8, 0))).toBe(true);
  expect([segment.checksum, segment.dstPort, segment.payloadLength]).toEqual([CHECKSUM_GOOD, 80, 7]);
  expect(segment.encapsulation).not.toBe(0);
});
