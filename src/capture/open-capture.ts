/** Chooses the backend for live capture and makes one source per device. */
import { TcpcopyError } from '../core/errors.ts';
import { loadNative } from '../native/load.ts';
import type { CaptureFilter } from './capture-filter.ts';
import type { PacketSource } from './packet-source.ts';
import { PcapSource } from './pcap-source.ts';
import type { Direction } from './ring-blocks.ts';
import { RingSource } from './ring-source.ts';

export interface CaptureOptions {
  /** Names; `any` is all of them. */
  readonly devices: readonly string[];
  /** `auto`: the ring where the native addon loads, else libpcap. */
  readonly backend: 'auto' | 'ring' | 'pcap';
  readonly filter?: CaptureFilter | undefined;
  /** Default `in`. Each packet on loopback is delivered once, whatever is chosen. */
  readonly direction?: Direction | undefined;
  /** Kernel buffer per device, bytes. */
  readonly captureBuffer?: number | undefined;
  readonly snapLength?: number | undefined;
  /** Ring only: libpcap through `cap` always is. */
  readonly promiscuous?: boolean | undefined;
  /** Ring only: milliseconds a frame may wait in a block that is not full. */
  readonly retireMs?: number | undefined;
}

export interface Capture {
  /** Not opened yet. */
  readonly sources: readonly PacketSource[];
  readonly backend: 'ring' | 'pcap';
  /** Why the ring is not used although it would have been preferred. */
  readonly note: string | undefined;
}

export function createCapture(options: CaptureOptions): Capture {
  const { devices, backend, direction, captureBuffer, snapLength, promiscuous, retireMs } = options;
  const common = defined({ filter: options.filter, direction, captureBuffer, snapLength });
  if (backend !== 'pcap') {
    const native = loadNative();
    if (native.addon !== undefined) {
      const { addon } = native;
      const more = defined({ promiscuous, retireMs });
      const sources = devices.map((device) => new RingSource(addon, device, { ...common, ...more }));
      return { sources, backend: 'ring', note: undefined };
    }
    if (backend === 'ring') throw new TcpcopyError('E_BACKEND', native.reason, { where: '--io ring' });
    return { sources: devices.map((d) => new PcapSource(d, common)), backend: 'pcap', note: native.reason };
  }
  return { sources: devices.map((d) => new PcapSource(d, common)), backend: 'pcap', note: undefined };
}

/** Without the entries that are `undefined`, so that defaults apply. */
function defined<T extends object>(entries: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
