/** Looks for a moment at what a run would capture: is there traffic, does it pass the filter, on which device. */
import type { BpfProgram } from '../capture/bpf.ts';
import { compileExpression } from '../capture/capture-filter.ts';
import { createCapture } from '../capture/open-capture.ts';
import type { PacketSource } from '../capture/packet-source.ts';
import { kernelTakes } from '../capture/tagged-frames.ts';
import type { CopyOptions } from '../config/copy-options.ts';
import { DROP_NONE } from '../core/drop-reason.ts';
import type { FrameBatch } from '../core/frame-batch.ts';
import { formatIp } from '../core/ip-address.ts';
import { loadNative } from '../native/load.ts';
import type { TrafficSample } from '../diagnosis/evidence.ts';
import { FrameParser } from '../wire/frame-parser.ts';
import { Segment } from '../wire/segment.ts';

const SAMPLE_MS = 1_000;
/** Enough to know; then it need not go on. */
const ENOUGH_FRAMES = 50;
const ENOUGH_CLIENTS = 2;
const BUFFER = 4 << 20;
const SNAP = 0x40000;
const MAX_DEVICES = 24;

export interface SampleResult {
  readonly sample: TrafficSample;
  /** Who sends: addresses of clients. */
  readonly clients: readonly string[];
}

interface Look {
  readonly source: PacketSource;
  /** A device of `-i`. */
  readonly wanted: boolean;
  frames: number;
}

/** Throws what opening the capture throws: E_PERMISSION, E_FILTER, E_DEVICE. */
export async function sampleTraffic(options: CopyOptions, devices: readonly string[]): Promise<SampleResult> {
  const { io, filter, mappings } = options;
  // A filter that does not compile is refused here, as a run would.
  const passes = filterOf(filter);
  const endpoints = mappings.map(({ online }) => online);
  const any = devices.includes('any');
  const watched = any ? ['any'] : [...devices, ...otherDevices(devices)];
  const { sources } = createCapture({
    devices: watched,
    backend: io,
    filter: { selection: { endpoints, direction: 'to', vxlan: true } },
    direction: 'in',
    captureBuffer: BUFFER,
    retireMs: 2,
  });
  const looks = sources.map((source): Look => ({ source, wanted: any || devices.includes(source.name), frames: 0 }));
  const counts = { frames: 0, unfiltered: 0, largest: 0 };
  const clients = new Set<string>();
  const parser = new FrameParser({ verifyChecksums: false });
  const segment = new Segment();
  let enough!: () => void;
  const done = new Promise<void>((resolve) => (enough = resolve));

  const look = (one: Look): void => {
    for (let batch = one.source.poll(); batch !== undefined; batch = one.source.poll()) {
      for (let i = 0; i < batch.count; i++) {
        if (parser.parse(batch, i, segment) !== DROP_NONE) continue;
        one.frames++;
        if (!one.wanted) continue;
        counts.unfiltered++;
        if (!passes(batch, i)) continue;
        counts.frames++;
        counts.largest = Math.max(counts.largest, batch.length[i]!);
        if (clients.size < ENOUGH_CLIENTS) clients.add(formatIp(segment.source().address));
      }
      if (counts.frames >= ENOUGH_FRAMES) enough();
    }
  };

  const began = performance.now();
  try {
    await Promise.all(
      looks.map((one) =>
        one.source.open({ ready: () => look(one), ended: () => undefined }).catch((error: unknown) => {
          if (one.wanted) throw error;
        }),
      ),
    );
    const timer = setTimeout(enough, SAMPLE_MS);
    await done;
    clearTimeout(timer);
  } finally {
    for (const { source } of looks) source.close();
  }
  return {
    sample: {
      seconds: Math.max(0.1, Math.round((performance.now() - began) / 100) / 10),
      ...counts,
      elsewhere: looks
        .filter(({ wanted, frames }) => !wanted && frames > 0)
        .map(({ source, frames }) => ({ device: source.name, frames })),
      kernelDropped: looks.reduce((sum, { source }) => sum + (source.stats().kernelDropped ?? 0), 0),
    },
    clients: [...clients],
  };
}

function otherDevices(devices: readonly string[]): string[] {
  const all = (loadNative().addon?.devices() ?? []).filter(({ up, loopback }) => up && !loopback);
  const others = all.map(({ name }) => name).filter((name) => !devices.includes(name));
  return others.length > MAX_DEVICES ? [] : others;
}

function filterOf(expression: string | undefined): (batch: FrameBatch, i: number) => boolean {
  if (expression === undefined) return () => true;
  const programs = new Map<number, BpfProgram>();
  const programFor = (linkType: number): BpfProgram => {
    let program = programs.get(linkType);
    if (program === undefined) programs.set(linkType, (program = compileExpression({ expression }, linkType, SNAP)));
    return program;
  };
  programFor(1);
  return (batch, i) => kernelTakes(programFor(batch.linkType[i]!), batch, i);
}
