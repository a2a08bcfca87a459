/** Where a copy run takes its frames from: devices, or a recording (as often as `-T` says). */
import { unknownDevice } from '../capture/capture-error.ts';
import { FileSource } from '../capture/file-source.ts';
import { hostDevices } from '../capture/host-devices.ts';
import { createCapture, type FanoutGroups } from '../capture/open-capture.ts';
import type { PacketSource } from '../capture/packet-source.ts';
import type { CopyOptions, RecordOptions } from '../config/copy-options.ts';
import type { TcpcopyError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { seconds } from '../core/time.ts';
import { ConnectionTracker } from '../reassembly/tracker.ts';
import { LIVE_TRACKER, RECORDING_TRACKER, type TrackerOptions } from '../reassembly/tracker-options.ts';
import { FrameParser } from '../wire/frame-parser.ts';
import type { ConnectionReplay } from './connection-replay.ts';
import { FramePacer } from './frame-pacer.ts';
import type { Selector } from './selector.ts';

/** Recorded time that frames of a recording may be out of order by: bounds how long anything is held back for them. */
const PATIENCE = seconds(3);
/** How a recording is reassembled. */
export const RECORDED: TrackerOptions = {
  ...RECORDING_TRACKER,
  gapPatience: PATIENCE,
  unansweredGapPatience: PATIENCE,
  resentGapPatience: PATIENCE,
  ackedGapPatience: PATIENCE,
  resetPatience: PATIENCE,
};

/** What the parts of a run are made from: a run that copies, or one that records. */
export type RunOptions = CopyOptions | RecordOptions;

export interface Input {
  /** Not opened yet. */
  readonly sources: readonly PacketSource[];
  /** Where the kernel deals the frames out among processes: in which groups, once the sources are open. */
  readonly fanout: (() => FanoutGroups) | undefined;
}

/** `bothWays`: what the online server answers is wanted, too. `fanout`: frames are to be shared with other processes. */
export function openInput(
  options: RunOptions,
  log: Log,
  bothWays: boolean,
  fanout: FanoutGroups | 'new' | undefined,
): Input {
  const { input, filter, io, captureBuffer, snapLength } = options;
  if ('file' in input) return { sources: [new FileSource(input.file, { expression: filter })], fanout: undefined };
  const capture = createCapture({
    devices: input.devices,
    backend: io,
    filter: {
      // Mostly what clients send only: their acknowledgements tell all that is needed of the responses.
      selection: {
        endpoints: options.mappings.map(({ online }) => online),
        direction: bothWays || recordsFrames(options) ? 'both' : 'to',
        vxlan: true,
      },
      expression: filter,
    },
    direction: bothWays || options.target === 'recording' ? 'both' : 'in',
    captureBuffer,
    snapLength,
    fanout,
  });
  if (capture.note !== undefined) log.warn(`capturing through libpcap: ${capture.note}`);
  else log.debug(`capturing on ${input.devices.join(', ')}`, { backend: capture.backend });
  return { sources: capture.sources, fanout: capture.fanoutGroups };
}

/** E_DEVICE for the first device of `-i` that this host has not; libpcap knows others than the kernel's. */
export function missingDevice({ input, io }: RunOptions): TcpcopyError | undefined {
  if (!('devices' in input) || io === 'pcap') return undefined;
  const known = hostDevices().map(({ name }) => name);
  const missing = input.devices.find((name) => name !== 'any' && !known.includes(name));
  return missing === undefined ? undefined : unknownDevice(missing, known);
}

/**
 * Where several devices are captured at once, one packet may be seen twice, as on a VLAN's trunk with its tag and on the
 * VLAN's own device without: there the tag must not make two connections of one.
 */
export function createParser(options: RunOptions): FrameParser {
  const { input } = options;
  const several = 'devices' in input && (input.devices.length > 1 || input.devices.includes('any'));
  return new FrameParser({ verifyChecksums: !recordsFrames(options), keyByEncapsulation: !several });
}

export function createTracker(
  options: RunOptions,
  selector: Selector,
  bothWays: boolean,
): ConnectionTracker<ConnectionReplay> {
  const live = isLive(options);
  return new ConnectionTracker<ConnectionReplay>({
    ...(live ? LIVE_TRACKER : RECORDED),
    midstream: 'any',
    oneWay: live && !bothWays,
    idleTimeout: live ? options.keepaliveTimeout : seconds(Infinity),
    clientOf: (segment) => (selector.isServer(segment, true) ? 'source' : 'destination'),
  });
}

export function createPacer(options: RunOptions): FramePacer | undefined {
  const recorded = !isLive(options) && options.pace === 'capture';
  return recorded ? new FramePacer(options.acceleration, options.maxGap) : undefined;
}

/** Whether frames come from devices; otherwise from a recording. */
export function isLive({ input }: Pick<RunOptions, 'input'>): boolean {
  return !('file' in input);
}

/** Whether frames are recorded as they were captured. */
function recordsFrames(options: RunOptions): boolean {
  return options.target === 'recording' && options.plugins.length === 0;
}
