import { expect } from 'vitest';
import { PAYLOAD_ALL } from '../../../src/control/protocol.ts';
import { millis } from '../../../src/core/time.ts';
import { until } from './lab.ts';
import { makeLink, startIntercept } from './started.ts';

const TOTAL = 16_000;
const BATCH = 64;

/**
 * For longer than the time after which a silent connection is lost nobody takes the responses: the link stops reading, is not
 * lost, and has all of them afterwards.
 */
export async function nobodyReadsForAWhile(
  setup: Parameters<typeof startIntercept>[0] = {},
  options: Parameters<typeof makeLink>[1] = {},
): Promise<void> {
  const lab = await startIntercept(setup, { outputCap: 64 << 20 });
  const link = makeLink(lab.intercept.port, {
    ...{ connections: 1, wantPayload: PAYLOAD_ALL, heartbeatTimeout: millis(1_000) },
    ...options,
  });
  await link.link.connect();
  link.reading = false;
  const payload = new Uint8Array(1400).fill(120);
  for (let i = 0; i < TOTAL; i += BATCH) {
    lab.respond(...Array.from({ length: BATCH }, (_, k) => ({ port: link.firstPort, seq: i + k, payload })));
    if (i % (10 * BATCH) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(link.events).toEqual(['leased 4', 'up']);
  link.reading = true;
  link.read();
  await until(() => link.responses.length === TOTAL, 'all responses');
  expect(link.responses.map((r) => r.seq)).toEqual(Array.from({ length: TOTAL }, (_, i) => i));
}
