/**
 * What one captured packet costs on its way in, and one response on its way through the control channel, without I/O:
 *
 *     node --expose-gc --import tsx bench/micro/packets.ts
 *
 * The number of flows goes from 1,000 to a million, visited in an order that no cache can guess.
 */
import { Decoder } from '../../src/control/decoder.ts';
import { MAX_MESSAGE, RESPONSES } from '../../src/control/protocol.ts';
import { ResponseWriter } from '../../src/control/response-writer.ts';
import { EVENT_NONE } from '../../src/reassembly/delivery.ts';
import { AHEAD, ConnectionTracker } from '../../src/reassembly/tracker.ts';
import { LIVE_TRACKER } from '../../src/reassembly/tracker-options.ts';
import { sumBytes } from '../../src/wire/checksum.ts';
import { FrameParser } from '../../src/wire/frame-parser.ts';
import { Segment } from '../../src/wire/segment.ts';
import { batchOf, batchOfMany, ethernetFrame, SEQ, setFlow } from './frames.ts';
import { measure } from './measure.ts';

const PAYLOAD = 200;
const FLOW_COUNTS = [1_000, 10_000, 100_000, 1_000_000];
/** Odd and far apart: visits all flows of any of the counts. */
const STRIDE = 7_919_111;

const frame = ethernetFrame(PAYLOAD);
const batch = batchOf(frame);
const segment = new Segment();
let sink = 0;

for (const verifyChecksums of [true, false]) {
  const parser = new FrameParser({ verifyChecksums });
  measure(`parse Ethernet, IPv4, TCP${verifyChecksums ? ', checksum' : ''}; ${PAYLOAD} B`, 2_000_000, (n) => {
    for (let i = 0; i < n; i++) sink += parser.parse(batch, 0, segment);
  });
}

measure('checksum of 380 B', 2_000_000, (n) => {
  const bytes = new DataView(new ArrayBuffer(384));
  for (let i = 0; i < n; i++) sink += sumBytes(bytes, 0, 380);
});

/** As the engine takes them: so many frames are read, then handled. */
const many = batchOfMany(frame, AHEAD);
const segments = Array.from({ length: AHEAD }, () => new Segment());
const parser = new FrameParser({ verifyChecksums: false });
const perPacket: number[] = [];
for (const flows of FLOW_COUNTS) {
  const tracker = new ConnectionTracker({ ...LIVE_TRACKER, midstream: 'any', oneWay: true, clientOf: () => 'source' });
  let flow = 0;
  let visited = 0;
  globalThis.gc?.();
  const before = process.memoryUsage();
  const visit = (n: number): void => {
    for (let first = 0; first < n; first += AHEAD) {
      for (let i = 0; i < AHEAD; i++, visited++) {
        flow = (flow + STRIDE) % flows;
        setFlow(many.view, flow, many.offset[i]);
        many.view.setInt32(many.offset[i]! + SEQ, 1_000 + Math.floor(visited / flows) * PAYLOAD);
        sink += parser.parse(many, i, segments[i]!);
      }
      tracker.expect(segments, AHEAD);
      for (let i = 0; i < AHEAD; i++) {
        tracker.handleExpected(segments[i]!, i);
        while (tracker.poll() !== EVENT_NONE) sink += tracker.chunk.length;
      }
    }
  };
  visit(flows);
  globalThis.gc?.();
  const after = process.memoryUsage();
  perPacket.push(measure(`parse, find and reassemble in order, ${flows.toLocaleString('en')} flows`, 1_000_000, visit));
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  if (globalThis.gc !== undefined) console.log(`  memory of an idle flow: ${(bytes / flows).toFixed(0)} bytes`);
}
console.log(`  a million flows over a thousand: ${(perPacket.at(-1)! / perPacket[0]!).toFixed(2)}`);

const writer = new ResponseWriter();
const decoder = new Decoder();
decoder.maxMessage = MAX_MESSAGE;
parser.parse(batch, 0, segment);
measure('control channel: write, decode and read a response, batches of 16', 1_000_000, (n) => {
  for (let i = 0; i < n; i += 16) {
    for (let j = 0; j < 16; j++) writer.add(segment, 0);
    writer.finish();
    decoder.push(writer.bytes.subarray(0, writer.length));
    writer.clear();
    const message = decoder.next();
    if (message?.type !== RESPONSES) throw new Error('unreachable');
    while (message.reader.next(segment, segment.time)) sink += segment.window;
  }
});
if (sink === 0) throw new Error('unreachable');
