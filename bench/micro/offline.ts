/**
 * A pcap of small packets, read, parsed and reassembled:
 *
 *     node --import tsx bench/micro/offline.ts [--packets 4000000] [--payload 64] [--connections 1000]
 *
 * The file is written to the temporary folder and removed. Prints packets per second of CPU time and of wall time, and
 * peak memory.
 */
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FileSource } from '../../src/capture/file-source.ts';
import { seqNum } from '../../src/core/seq-num.ts';
import { EVENT_NONE } from '../../src/reassembly/delivery.ts';
import { ConnectionTracker } from '../../src/reassembly/tracker.ts';
import { RECORDING_TRACKER } from '../../src/reassembly/tracker-options.ts';
import { FrameParser } from '../../src/wire/frame-parser.ts';
import { Segment } from '../../src/wire/segment.ts';
import { ethernetFrame, SEQ, setFlow } from './frames.ts';

const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '4000000' },
    payload: { type: 'string', default: '64' },
    connections: { type: 'string', default: '1000' },
  },
});
const packets = Number(values.packets);
const payload = Number(values.payload);
const connections = Number(values.connections);

const RECORD_HEADER = 16;
const PER_WRITE = 4_096;
const MICROSECONDS_APART = 10;

/** Little-endian, microseconds, Ethernet. Checksums are left wrong: whoever reads them would not look further. */
function writeRecording(file: string): void {
  const frame = ethernetFrame(payload);
  const view = new DataView(frame.buffer);
  const size = RECORD_HEADER + frame.length;
  const chunk = new Uint8Array(size * PER_WRITE);
  const chunkView = new DataView(chunk.buffer);
  const fd = openSync(file, 'w');
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, 0xa1b2c3d4, true);
  header.setUint16(4, 2, true);
  header.setUint16(6, 4, true);
  header.setUint32(16, 262_144, true);
  header.setUint32(20, 1, true);
  writeSync(fd, new Uint8Array(header.buffer));
  for (let first = 0; first < packets; first += PER_WRITE) {
    const count = Math.min(PER_WRITE, packets - first);
    for (let i = 0; i < count; i++) {
      const n = first + i;
      const at = i * size;
      const time = n * MICROSECONDS_APART;
      setFlow(view, n % connections);
      view.setInt32(SEQ, seqNum(1_000 + Math.floor(n / connections) * payload));
      chunkView.setUint32(at, 1_700_000_000 + Math.floor(time / 1e6), true);
      chunkView.setUint32(at + 4, time % 1e6, true);
      chunkView.setUint32(at + 8, frame.length, true);
      chunkView.setUint32(at + 12, frame.length, true);
      chunk.set(frame, at + RECORD_HEADER);
    }
    writeSync(fd, chunk, 0, count * size);
  }
  closeSync(fd);
}

const folder = mkdtempSync(join(tmpdir(), 'tcpcopy-bench-'));
try {
  const file = join(folder, 'small.pcap');
  writeRecording(file);
  const parser = new FrameParser({ verifyChecksums: false });
  const tracker = new ConnectionTracker({ ...RECORDING_TRACKER, startAtOnce: true, clientOf: () => 'source' });
  const segment = new Segment();
  const source = new FileSource(file);
  let frames = 0;
  let bytes = 0;
  const cpu = process.cpuUsage();
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    const drain = (): void => {
      for (let batch = source.poll(); batch !== undefined; batch = source.poll()) {
        for (let i = 0; i < batch.count; i++) {
          frames++;
          if (parser.parse(batch, i, segment) !== 0) continue;
          tracker.handle(segment);
          while (tracker.poll() !== EVENT_NONE) bytes += tracker.chunk.length;
        }
      }
    };
    source.open({ ready: drain, ended: (error) => (error === undefined ? resolve() : reject(error)) }).catch(reject);
  });
  const wall = (performance.now() - began) / 1e3;
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (user + system) / 1e6;
  const million = (perSecond: number) => `${(perSecond / 1e6).toFixed(2)} M/s`;
  console.log(`${frames} packets, ${(statSync(file).size / 2 ** 20).toFixed(0)} MB, ${bytes} payload bytes`);
  console.log(`packets: ${million(frames / seconds)} of CPU time, ${million(frames / wall)} of wall time`);
  console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
  if (frames !== packets) throw new Error('packets are missing');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
