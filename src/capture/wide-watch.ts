/**
 * Looks at a host's devices for a while, beside the capture that does the work: for probes and their answers, wherever
 * they pass. Sources of its own, so that nothing changes for who else captures here; small ones, for what it looks for
 * is little.
 */
import type { FrameBatch } from '../core/frame-batch.ts';
import type { Sighting } from '../core/sighting.ts';
import { loadNative } from '../native/load.ts';
import { createCapture } from './open-capture.ts';
import type { PacketSource } from './packet-source.ts';
import type { SelectedEndpoint } from './selection.ts';
import { SightingReader } from './frame-sighting.ts';

/** Per device; with the retire time it bridges 64 ms in which nobody reads. */
const BUFFER = 1 << 20;
/** Headers and options; of ICMP errors the quoted headers. */
const SNAP_LENGTH = 256;
const RETIRE_MS = 8;
/** A host with more has them from containers: then all are looked at together, without names. */
const MAX_DEVICES = 12;
const POLLS_PER_TURN = 16;

export interface WideWatchOptions {
  readonly backend: 'auto' | 'ring' | 'pcap';
  /** TCP from and to these; ICMP and ARP are seen as well. */
  readonly endpoints: readonly SelectedEndpoint[];
  /** Whether the capture that does the work here takes this frame, too. Default: no. */
  readonly taken?: (device: string, batch: FrameBatch, index: number) => boolean;
  readonly seen: (sighting: Sighting) => void;
}

export class WideWatch {
  readonly #options: WideWatchOptions;
  readonly #reader = new SightingReader();
  #sources: PacketSource[] = [];
  #closed = false;

  constructor(options: WideWatchOptions) {
    this.#options = options;
  }

  /** Throws E_PERMISSION and the like when not a single device can be watched. */
  async open(): Promise<void> {
    const { backend, endpoints } = this.#options;
    const { sources } = createCapture({
      devices: devicesToWatch(),
      backend,
      filter: { selection: { endpoints, direction: 'both', notices: true } },
      direction: 'both',
      captureBuffer: BUFFER,
      snapLength: SNAP_LENGTH,
      retireMs: RETIRE_MS,
    });
    let problem: unknown;
    for (const source of sources) {
      try {
        await source.open({ ready: () => this.#drain(source), ended: () => undefined });
        this.#sources.push(source);
      } catch (error) {
        // A device may go down just now.
        problem = error;
      }
    }
    if (this.#sources.length === 0 && problem !== undefined) throw problem as Error;
  }

  close(): void {
    this.#closed = true;
    for (const source of this.#sources) source.close();
    this.#sources = [];
  }

  #drain(source: PacketSource): void {
    for (let polls = 0; polls < POLLS_PER_TURN && !this.#closed; polls++) {
      const batch = source.poll();
      if (batch === undefined) return;
      for (let i = 0; i < batch.count; i++) this.#look(source.name, batch, i);
    }
    if (!this.#closed) setImmediate(() => this.#drain(source));
  }

  #look(device: string, batch: FrameBatch, index: number): void {
    const taken = this.#options.taken?.(device, batch, index) === true;
    const sighting = this.#reader.read(batch, index, device, taken);
    if (sighting !== undefined) this.#options.seen(sighting);
  }
}

/** Every device that is up, by name where that can be had. */
function devicesToWatch(): readonly string[] {
  const up = loadNative()
    .addon?.devices()
    .filter((device) => device.up)
    .map((device) => device.name);
  return up === undefined || up.length === 0 || up.length > MAX_DEVICES ? ['any'] : up;
}
