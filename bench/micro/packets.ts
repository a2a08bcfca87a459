/**
 * What one captured packet costs to parse, and one response on its way through the control channel, without I/O:
 *
 *     node --import tsx bench/micro/packets.ts
 */
import { Decoder } from '../../src/control/decoder.ts';
import { MAX_MESSAGE, RESPONSES } from '../../src/control/protocol.ts';
import { ResponseWriter } from '../../src/control/response-writer.ts';
import { sumBytes } from '../../src/wire/checksum.ts';
import { FrameParser } from '../../src/wire/frame-parser.ts';
import { Segment } from '../../src/wire/segment.ts';
import { batchOf, ethernetFrame } from './frames.ts';
import { measure } from './measure.ts';

const PAYLOAD = 200;

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

const parser = new FrameParser({ verifyChecksums: false });
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
