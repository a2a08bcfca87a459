import type { PacketBatch } from '../core/packet-batch.ts';

/** A packet the kernel refused. `offset` is into the batch's bytes, valid during the `flush` that reports it. */
export interface SendFailure {
  readonly offset: number;
  readonly length: number;
  /** `EMSGSIZE`, `EPERM`, `ENETUNREACH`… */
  readonly code: string;
  /** With EMSGSIZE: the path MTU, where the backend can tell it. */
  readonly mtu: number | undefined;
}

export interface SinkStats {
  readonly packets: number;
  readonly bytes: number;
  /** Packets the kernel refused, by errno name. */
  readonly failed: Readonly<Record<string, number>>;
}

/**
 * Where finished IP packets go: a raw socket, a pcap file, memory. The caller writes packets into `batch` and calls
 * `flush`, which sends what is there and empties it. A socket whose buffer is full keeps the rest queued, in order, and
 * `flush` returns false: write no more until `writable` is called.
 */
export interface PacketSink {
  readonly name: string;
  readonly batch: PacketBatch;
  /** Whether it takes large packets. */
  readonly takesLarge?: boolean;
  open(listener: SinkListener): Promise<void>;
  flush(): boolean;
  stats(): SinkStats;
  close(): Promise<void>;
}

export interface SinkListener {
  writable(): void;
  /** One packet could not be sent; the others go on. Never throws, never ends the process. */
  failed(failure: SendFailure): void;
}
