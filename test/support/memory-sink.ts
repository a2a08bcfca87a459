/** A sink for tests: keeps a copy of every packet, and can be told to be full or to fail. */
import { PacketBatch } from '../../src/core/packet-batch.ts';
import type { PacketSink, SinkListener, SinkStats } from '../../src/inject/packet-sink.ts';
import { SinkCounters } from '../../src/inject/sink-counters.ts';

export class MemorySink implements PacketSink {
  readonly name = 'memory';
  readonly batch: PacketBatch;
  readonly packets: Uint8Array[] = [];
  /** How many more packets there is room for; `Infinity` unless a test says otherwise. */
  room = Infinity;
  /** An errno name for packets that shall fail, and the MTU to report with it. */
  refuse: (packet: Uint8Array) => { readonly code: string; readonly mtu?: number } | undefined = () => undefined;
  readonly #counters = new SinkCounters();
  #listener: SinkListener | undefined;
  #first = 0;

  constructor(batch = new PacketBatch()) {
    this.batch = batch;
  }

  async open(listener: SinkListener): Promise<void> {
    this.#listener = listener;
  }

  flush(): boolean {
    const { batch } = this;
    for (; this.#first < batch.count; this.#first++) {
      if (this.room <= 0) return false;
      this.room--;
      this.#take(batch.offset[this.#first]!, batch.length[this.#first]!);
    }
    batch.clear();
    this.#first = 0;
    return true;
  }

  /** Makes room, as a socket does when it drains. */
  drain(room = Infinity): void {
    this.room = room;
    if (this.flush()) this.#listener?.writable();
  }

  stats(): SinkStats {
    return this.#counters.snapshot();
  }

  async close(): Promise<void> {
    this.#listener = undefined;
  }

  #take(offset: number, length: number): void {
    const packet = this.batch.bytes.slice(offset, offset + length);
    const refusal = this.refuse(packet);
    if (refusal === undefined) {
      this.packets.push(packet);
      this.#counters.sent(length);
    } else {
      this.#counters.failed(refusal.code);
      this.#listener?.failed({ offset, length, code: refusal.code, mtu: refusal.mtu });
    }
  }
}
