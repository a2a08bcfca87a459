/**
 * Answers PROBE: for a bounded time it watches all devices for what concerns one instance, beside the capture that does
 * the work and without its filter, and tells what was seen. Nothing is sent but the reports.
 */
import type { FrameBatch } from '../core/frame-batch.ts';
import type { BpfProgram } from '../capture/bpf.ts';
import { compileExpression, type CaptureFilter } from '../capture/capture-filter.ts';
import { hostDevices } from '../capture/host-devices.ts';
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from '../capture/link-type.ts';
import type { SelectedEndpoint } from '../capture/selection.ts';
import { compileSelection } from '../capture/selection-filter.ts';
import { kernelTakes } from '../capture/tagged-frames.ts';
import { WideWatch } from '../capture/wide-watch.ts';
import { NO_HOLDER, type LeaseTable } from '../control/lease-table.ts';
import { MAX_PROBE_DEVICES, MAX_SIGHTINGS, type Probe, type ProbeReport } from '../control/probe.ts';
import { BLOCK_PORTS, PROBE_REPORT } from '../control/protocol.ts';
import { TcpcopyError } from '../core/errors.ts';
import { formatIp, ipEquals } from '../core/ip-address.ts';
import type { Sighting } from '../core/sighting.ts';
import { exactFilter } from './capture-selection.ts';
import type { Instance } from './instance.ts';
import type { Peer } from './peer.ts';

/** Watches at a time; each costs a small ring per device. */
const MAX_WATCHES = 4;
const LONGEST_MS = 10_000;
const SNAP = 0x40000;
/** Connections of others that are told apart. */
const MAX_STRANGERS = 4096;

export interface ProbesSetup {
  readonly backend: 'auto' | 'ring' | 'pcap';
  /** Of the capture that does the work. */
  readonly devices: readonly string[];
  readonly expression: string | undefined;
  readonly leases: LeaseTable;
}

interface Watch {
  readonly peer: Peer;
  readonly token: number;
  readonly instance: Instance;
  readonly sightings: Sighting[];
  foreign: number;
  /** Of connections that nobody here has: the last sequence and acknowledgement numbers, by client and ports. */
  readonly strangers: Map<string, string>;
  wide: WideWatch | undefined;
  timer: NodeJS.Timeout | undefined;
}

export class Probes {
  readonly #setup: ProbesSetup;
  readonly #watches = new Set<Watch>();

  constructor(setup: ProbesSetup) {
    this.#setup = setup;
  }

  /** Acts on one message; the reports follow by themselves. */
  handle(peer: Peer, instance: Instance, { token, duration }: Probe): void {
    for (const watch of this.#watches) if (watch.peer === peer) this.#end(watch, '');
    if (duration === 0) return;
    const watch: Watch = {
      peer,
      token,
      instance,
      sightings: [],
      foreign: 0,
      strangers: new Map(),
      wide: undefined,
      timer: undefined,
    };
    if (this.#watches.size >= MAX_WATCHES) {
      this.#report(watch, false, `${MAX_WATCHES} probes are being watched already`);
      return;
    }
    this.#watches.add(watch);
    void this.#begin(watch, Math.min(duration, LONGEST_MS));
  }

  /** The connection is gone: nobody waits for its reports. */
  left(peer: Peer): void {
    for (const watch of this.#watches) if (watch.peer === peer) this.#forget(watch);
  }

  close(): void {
    for (const watch of this.#watches) this.#forget(watch);
  }

  async #begin(watch: Watch, duration: number): Promise<void> {
    const { instance } = watch;
    const ports = this.#setup.leases
      .blocksOf(instance.slot)
      .map((block): SelectedEndpoint => ({ portFirst: block * BLOCK_PORTS, portLast: (block + 1) * BLOCK_PORTS - 1 }));
    const wide = new WideWatch({
      backend: this.#setup.backend,
      endpoints: [...instance.targets.ranges, ...ports],
      taken: this.#makeTaken(instance),
      seen: (sighting) => this.#seen(watch, sighting),
    });
    watch.wide = wide;
    try {
      await wide.open();
    } catch (error) {
      this.#end(watch, error instanceof TcpcopyError ? error.message : String(error));
      return;
    }
    if (!this.#watches.has(watch)) {
      wide.close();
      return;
    }
    this.#report(watch, true, '');
    watch.timer = setTimeout(() => this.#end(watch, ''), duration);
  }

  #seen(watch: Watch, s: Sighting): void {
    const { instance, sightings } = watch;
    if (s.kind === 'tcp') {
      const { leases } = this.#setup;
      const ours =
        leases.ownerOfPort(s.destinationPort) === instance.slot || leases.ownerOfPort(s.sourcePort) === instance.slot;
      if (!ours) {
        const answers = instance.targets.contains(s.source.w0, s.source.w1, s.source.w2, s.source.w3, s.sourcePort);
        const stranger = leases.ownerOfPort(s.destinationPort) === NO_HOLDER;
        if (answers && stranger && instance.isClient(s.destination)) noteStranger(watch, s);
        return;
      }
    } else if (s.kind === 'arp' && !instance.targets.ranges.some(({ address }) => ipEquals(address, s.source))) {
      return;
    }
    if (sightings.length < MAX_SIGHTINGS) sightings.push(s);
  }

  #end(watch: Watch, problem: string): void {
    if (!this.#watches.has(watch)) return;
    this.#forget(watch);
    this.#report(watch, false, problem);
  }

  #forget(watch: Watch): void {
    clearTimeout(watch.timer);
    watch.wide?.close();
    this.#watches.delete(watch);
  }

  #report({ peer, token, sightings, foreign }: Watch, open: boolean, problem: string): void {
    const { devices, expression } = this.#setup;
    const report: ProbeReport = {
      type: PROBE_REPORT,
      token,
      open,
      problem,
      capturesOn: devices.join(', '),
      filter: expression ?? '',
      devices: hostDevices().slice(0, MAX_PROBE_DEVICES),
      foreign,
      sightings: open ? [] : sightings,
    };
    peer.send(report);
  }

  /** Whether the capture that does the work takes a frame. What cannot be compiled here takes all. */
  #makeTaken(instance: Instance): (device: string, batch: FrameBatch, index: number) => boolean {
    const { devices, expression } = this.#setup;
    const filter = exactFilter(instance.targets.ranges, expression);
    const programs = new Map<number, BpfProgram | undefined>();
    return (device, batch, index) => {
      if (device !== 'any' && !devices.includes('any') && !devices.includes(device)) return false;
      const linkType = batch.linkType[index]!;
      if (!programs.has(linkType)) programs.set(linkType, compile(filter, linkType));
      const program = programs.get(linkType);
      return program === undefined || kernelTakes(program, batch, index);
    };
  }
}

/** Counts a connection's progress only: what a dead one repeats, to a copier that has been killed, is nobody's. */
function noteStranger(watch: Watch, s: Sighting): void {
  const key = `${formatIp(s.destination)} ${s.destinationPort} ${s.sourcePort}`;
  const now = `${s.seq} ${s.ack}`;
  const before = watch.strangers.get(key);
  if (before !== undefined && before !== now) watch.foreign++;
  if (before !== undefined || watch.strangers.size < MAX_STRANGERS) watch.strangers.set(key, now);
}

function compile(filter: CaptureFilter, linkType: number): BpfProgram | undefined {
  if (linkType !== LINKTYPE_ETHERNET && linkType !== LINKTYPE_RAW) return undefined;
  try {
    if (filter.expression !== undefined || filter.selection === undefined) {
      return compileExpression(filter, linkType, SNAP);
    }
    return compileSelection(filter.selection, linkType === LINKTYPE_RAW ? 'raw' : 'ethernet', SNAP);
  } catch {
    return undefined;
  }
}
