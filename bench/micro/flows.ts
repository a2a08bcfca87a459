/**
 * What one captured packet in order costs on its way in, without I/O, with a thousand flows to a million:
 *
 *     node --expose-gc --import tsx bench/micro/flows.ts [FLOWS]
 *
 * Each flow has a packet once a round. The order is random: not that in which they were opened, or their records would follow
 * one another in memory, and another one in each round, or the processor would learn which way the look-up of a thousand
 * flows branches, and not that of more. Each number of flows has a process of its own, since what was optimized for one
 * tracker serves the next ones less well.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EVENT_NONE } from '../../src/reassembly/delivery.ts';
import { AHEAD, ConnectionTracker } from '../../src/reassembly/tracker.ts';
import { LIVE_TRACKER } from '../../src/reassembly/tracker-options.ts';
import { Random } from '../../src/testing/random.ts';
import { FrameParser } from '../../src/wire/frame-parser.ts';
import { Segment } from '../../src/wire/segment.ts';
import { batchOfMany, ethernetFrame, SEQ, setFlow } from './frames.ts';
import { measure } from './measure.ts';

const PAYLOAD = 200;
const FLOW_COUNTS = [1_000, 10_000, 100_000, 1_000_000];
const PACKETS = 1_000_000;

/** Which flow each packet is of. */
function inRounds(flows: number): Int32Array {
  const random = new Random(1);
  const order = Int32Array.from({ length: PACKETS }, (_, i) => i % flows);
  for (let i = 0; i < PACKETS; i++) {
    const j = i + random.below(flows - (i % flows));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function measureWith(flows: number): void {
  const many = batchOfMany(ethernetFrame(PAYLOAD), AHEAD);
  const segments = Array.from({ length: AHEAD }, () => new Segment());
  const parser = new FrameParser({ verifyChecksums: false });
  const tracker = new ConnectionTracker({ ...LIVE_TRACKER, midstream: 'any', oneWay: true, clientOf: () => 'source' });
  const opened = Int32Array.from({ length: flows }, (_, i) => i);
  const order = inRounds(flows);
  let sink = 0;
  let visited = 0;
  globalThis.gc?.();
  const before = process.memoryUsage();
  /** As the engine takes them: so many frames are read, then handled. */
  const visit = (n: number, flowsInTurn = order): void => {
    for (let first = 0; first < n; first += AHEAD) {
      const count = Math.min(AHEAD, n - first);
      for (let i = 0; i < count; i++, visited++) {
        setFlow(many.view, flowsInTurn[visited % flowsInTurn.length]!, many.offset[i]);
        many.view.setInt32(many.offset[i]! + SEQ, 1_000 + Math.floor(visited / flows) * PAYLOAD);
        sink += parser.parse(many, i, segments[i]!);
      }
      tracker.expect(segments, count);
      for (let i = 0; i < count; i++) {
        tracker.handleExpected(segments[i]!, i);
        while (tracker.poll() !== EVENT_NONE) sink += tracker.chunk.length;
      }
    }
  };
  visit(flows, opened);
  globalThis.gc?.();
  const after = process.memoryUsage();
  const median = measure(`parse, find and reassemble in order, ${flows.toLocaleString('en')} flows`, PACKETS, visit);
  const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  if (globalThis.gc !== undefined) console.log(`  memory of an idle flow: ${(bytes / flows).toFixed(0)} bytes`);
  console.log(`  ns: ${median.toFixed(1)}`);
  if (sink === 0) throw new Error('unreachable');
}

if (process.argv[2] !== undefined) measureWith(Number(process.argv[2]));
else {
  const perPacket = FLOW_COUNTS.map((flows) => {
    const args = [...process.execArgv, fileURLToPath(import.meta.url), `${flows}`];
    const printed = execFileSync(process.execPath, args, { encoding: 'utf8' });
    const [shown, ns] = printed.split('  ns: ');
    process.stdout.write(shown!);
    return Number(ns);
  });
  console.log(`  a million flows over a thousand: ${(perPacket.at(-1)! / perPacket[0]!).toFixed(2)}`);
}
