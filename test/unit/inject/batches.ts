import type { PacketSink, SendFailure } from '../../../src/inject/packet-sink.ts';
import { ipPacket } from '../capture/packets.ts';

/** `n` small packets, numbered by their TCP sequence number. */
export function write(sink: PacketSink, n: number, to = '10.0.0.1', from = 0): void {
  for (let i = 0; i < n; i++) {
    const packet = ipPacket({ to, seq: from + i });
    sink.batch.bytes.set(packet, sink.batch.reserve(packet.length));
    sink.batch.commit(packet.length);
  }
}

export const seqOf = (packet: Uint8Array) =>
  new DataView(packet.buffer, packet.byteOffset).getUint32(packet[0]! >> 4 === 4 ? 24 : 44);

/** Opens a sink and records what it says. */
export async function watch(sink: PacketSink): Promise<{ events: string[]; failures: SendFailure[] }> {
  const events: string[] = [];
  const failures: SendFailure[] = [];
  await sink.open({ writable: () => events.push('writable'), failed: (failure) => failures.push({ ...failure }) });
  return { events, failures };
}
