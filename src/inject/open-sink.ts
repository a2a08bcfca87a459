/** Chooses where packets go. */
import { TcpcopyError } from '../core/errors.ts';
import type { PacketBatch } from '../core/packet-batch.ts';
import type { Instant } from '../core/time.ts';
import { loadNative } from '../native/load.ts';
import type { PacketSink } from './packet-sink.ts';
import { PcapSink } from './pcap-sink.ts';
import { PortableSink } from './portable-sink.ts';
import { loadRawSocket } from './raw-socket-module.ts';
import { RawSink, type RawSinkOptions } from './raw-sink.ts';

export interface SinkOptions extends RawSinkOptions {
  /** `auto`: the native addon where it loads, else `raw-socket`. */
  readonly backend: 'auto' | 'ring' | 'pcap';
  /** Write a pcap file instead of sending. */
  readonly file?: string | undefined;
  /** The time that packets in such a file get. */
  readonly clock: () => Instant;
  readonly batch?: PacketBatch | undefined;
}

export interface Sink {
  /** Not opened yet. */
  readonly sink: PacketSink;
  /** Why the native addon is not used although it would have been preferred. */
  readonly note: string | undefined;
}

export function createSink(options: SinkOptions): Sink {
  const { backend, file, clock, batch } = options;
  if (file !== undefined) return { sink: new PcapSink(file, clock, batch), note: undefined };
  if (backend === 'pcap') return { sink: portable(options), note: undefined };
  const native = loadNative();
  if (native.addon !== undefined) return { sink: new RawSink(native.addon, options, batch), note: undefined };
  if (backend === 'ring') throw new TcpcopyError('E_BACKEND', native.reason, { where: '--io ring' });
  return { sink: portable(options), note: native.reason };
}

function portable({ batch }: SinkOptions): PacketSink {
  const loaded = loadRawSocket();
  if ('reason' in loaded) {
    throw new TcpcopyError('E_BACKEND', loaded.reason, {
      where: '--io',
      hint: 'or build the native addon (`npm rebuild tcpcopy`)',
    });
  }
  return new PortableSink(loaded.module, batch);
}
