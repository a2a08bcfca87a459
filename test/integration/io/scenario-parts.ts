/** What the scenarios of the ring and of sending are made of. */
import { RingSource, type RingSourceOptions } from '../../../src/capture/ring-source.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { RawSink, type RawSinkOptions } from '../../../src/inject/raw-sink.ts';
import { loadNative } from '../../../src/native/load.ts';
import { ipPacket, type PacketSpec } from '../../unit/capture/packets.ts';
import type { collect } from './drive.ts';

/** Each gives what is compared with what it should. */
export type Scenarios = Record<string, () => Promise<Record<string, unknown>>>;

export const addon = loadNative().addon!;
export const ring = (device: string, options: RingSourceOptions = {}) => new RingSource(addon, device, options);
export const raw = (options: RawSinkOptions = {}) => new RawSink(addon, options);
export const TO_B: PacketSpec = { to: '10.77.0.2', toPort: 8080 };
export const packets = (n: number, spec: PacketSpec = TO_B) =>
  Array.from({ length: n }, (_, seq) => ipPacket({ payload: new Uint8Array(100).fill(seq & 255), ...spec, seq }));
export const port = (p: number, address?: string) => ({
  selection: {
    endpoints: [{ address: address === undefined ? undefined : parseIp(address), portFirst: p, portLast: p }],
    direction: 'to' as const,
  },
});
export const inOrder = (seqs: number[]) => seqs.every((seq, i) => seq === i);

export async function finish(...collectors: Awaited<ReturnType<typeof collect>>[]): Promise<(string | undefined)[]> {
  for (const c of collectors) c.source.stop();
  const ends = await Promise.all(collectors.map((c) => c.ended));
  for (const c of collectors) c.source.close();
  return ends;
}
