/** Chooses the backend for live capture and makes one source per device; the process is one that copies from then on. */
import { TcpcopyError } from '../core/errors.ts';
import { loadNative } from '../native/load.ts';
import type { CaptureFilter } from './capture-filter.ts';
import { tuneForLive } from './engine-tuning.ts';
import type { PacketSource } from './packet-source.ts';
import { PcapSource } from './pcap-source.ts';
import type { Direction } from './ring-frames.ts';
import { PromptSource } from './prompt-source.ts';
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
  /** Ring only: share each device's frames with other processes, in groups that are named here or begun. */
  readonly fanout?: FanoutGroups | 'new' | undefined;
  /** Ring only, for who wants headers: they can be seen the moment they come, not a few milliseconds later. */
  readonly promptHeads?: boolean | undefined;
}

/** Device name to the group of rings that share its frames. */
export type FanoutGroups = Readonly<Record<string, number>>;

export interface Capture {
  /** Not opened yet. */
  readonly sources: readonly PacketSource[];
  readonly backend: 'ring' | 'pcap';
  /** The groups, once the sources are open; `undefined` where every process is shown every frame. */
  readonly fanoutGroups: (() => FanoutGroups) | undefined;
  /** Why the ring is not used although it would have been preferred. */
  readonly note: string | undefined;
}

export function createCapture(options: CaptureOptions): Capture {
  const { devices, backend, direction, captureBuffer, snapLength, promiscuous, retireMs, fanout } = options;
  tuneForLive();
  const common = defined({ filter: options.filter, direction, captureBuffer, snapLength });
  let note: string | undefined;
  if (backend !== 'pcap') {
    const native = loadNative();
    if (native.addon !== undefined) {
      const { addon } = native;
      const more = defined({ promiscuous, retireMs });
      if (options.promptHeads === true) {
        const prompt = devices.map((device) => new PromptSource(addon, device, { ...common, ...more }));
        return { sources: prompt, backend: 'ring', fanoutGroups: undefined, note: undefined };
      }
      const groupOf = (device: string) => (typeof fanout === 'object' ? fanout[device] : fanout);
      const sources = devices.map((d) => new RingSource(addon, d, { ...common, ...more, fanout: groupOf(d) }));
      const groups = (): FanoutGroups => Object.fromEntries(sources.map((s) => [s.name, s.fanoutGroup]));
      return { sources, backend: 'ring', fanoutGroups: fanout === undefined ? undefined : groups, note: undefined };
    }
    if (backend === 'ring') throw new TcpcopyError('E_BACKEND', native.reason, { where: '--io ring' });
    note = native.reason;
  }
  const sources = devices.map((device) => new PcapSource(device, common));
  return { sources, backend: 'pcap', fanoutGroups: undefined, note };
}

/** Without the entries that are `undefined`, so that defaults apply. */
function defined<T extends object>(entries: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
