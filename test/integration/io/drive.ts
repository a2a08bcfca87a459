/** Driving sources and sinks in scenarios. */
import { execFileSync } from 'node:child_process';
import { TcpcopyError } from '../../../src/core/errors.ts';
import type { FrameBatch } from '../../../src/core/frame-batch.ts';
import type { PacketSource } from '../../../src/capture/packet-source.ts';
import type { SendFailure, PacketSink } from '../../../src/inject/packet-sink.ts';

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export const ip = (...args: string[]) => execFileSync('ip', args, { encoding: 'utf8' });

/** For python3: frames, as hex, out of a device. */
export const SEND_FRAMES = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for frame in sys.argv[2:]: s.send(bytes.fromhex(frame))
`;

export interface Frame {
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly time: number;
  readonly linkType: number;
  readonly flags: number;
  readonly vlan: number;
}

export interface Collector {
  readonly source: PacketSource;
  readonly frames: Frame[];
  /** Resolves when the source has ended, with its error's code. */
  readonly ended: Promise<string | undefined>;
}

/** Opens a source and keeps a copy of all it delivers; `keep` false counts only (see `source.stats`). */
export async function collect(source: PacketSource, keep = true): Promise<Collector> {
  const frames: Frame[] = [];
  let end: (code: string | undefined) => void = () => undefined;
  const ended = new Promise<string | undefined>((resolve) => (end = resolve));
  await source.open({
    ready: () => {
      for (let batch = source.poll(); batch !== undefined; batch = source.poll()) {
        if (keep) frames.push(...copy(batch));
      }
    },
    ended: (error) => end(error instanceof TcpcopyError ? error.code : error?.message),
  });
  return { source, frames, ended };
}

function copy(b: FrameBatch): Frame[] {
  return Array.from({ length: b.count }, (_, i) => ({
    bytes: b.bytes.slice(b.offset[i]!, b.offset[i]! + b.captured[i]!),
    length: b.length[i]!,
    time: b.time[i]!,
    linkType: b.linkType[i]!,
    flags: b.flags[i]!,
    vlan: b.vlanTci[i]!,
  }));
}

export interface Driver {
  readonly sink: PacketSink;
  readonly failures: SendFailure[];
  send(packets: readonly Uint8Array[]): Promise<void>;
}

export async function drive(sink: PacketSink): Promise<Driver> {
  const failures: SendFailure[] = [];
  let wake: () => void = () => undefined;
  await sink.open({ writable: () => wake(), failed: (failure) => failures.push({ ...failure }) });
  const flush = async () => {
    const writable = new Promise<void>((resolve) => (wake = resolve));
    if (!sink.flush()) await writable;
  };
  return {
    sink,
    failures,
    send: async (packets) => {
      for (const packet of packets) {
        let at = sink.batch.reserve(packet.length);
        if (at < 0) {
          await flush();
          at = sink.batch.reserve(packet.length);
        }
        sink.batch.bytes.set(packet, at);
        sink.batch.commit(packet.length);
      }
      await flush();
    },
  };
}

/** The TCP sequence number of an IPv4 packet without options at `at`. */
export function seqAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 24);
}
