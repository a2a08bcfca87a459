/**
 * The messages of a probe, since version 2: tcpcopy asks the intercept to look beyond its own filter for a while, and is
 * told what concerns its targets, its source addresses and its leased ports.
 *
 *     PROBE ──▶ PROBE_REPORT (open: the watch has begun, what this host is) … PROBE_REPORT (what was seen)
 */
import type { IpAddress } from '../core/ip-address.ts';
import type { Sighting, SightingKind } from '../core/sighting.ts';
import { protocolError, type FieldReader, type FieldWriter } from './fields.ts';
import type { PROBE, PROBE_REPORT } from './protocol.ts';

/** Sightings in one report; further ones are only counted. */
export const MAX_SIGHTINGS = 1024;
/** Devices in one report. */
export const MAX_PROBE_DEVICES = 64;

/** "Watch for so long, or (with 0) tell what has been seen and stop." */
export interface Probe {
  readonly type: typeof PROBE;
  /** Comes back in the reports. */
  readonly token: number;
  /** Milliseconds. */
  readonly duration: number;
}

export interface ProbeDevice {
  readonly name: string;
  /** IPv4 forwarding of what arrives here. */
  readonly forwards4: boolean;
  readonly forwards6: boolean;
  /** 0 off, 1 strict, 2 loose: what is in force, IPv4. */
  readonly rpFilter: number;
  readonly addresses: readonly { readonly address: IpAddress; readonly prefix: number }[];
}

export interface ProbeReport {
  readonly type: typeof PROBE_REPORT;
  readonly token: number;
  /** The watch goes on: another report follows. */
  readonly open: boolean;
  /** Why there is no watch; empty when there is. */
  readonly problem: string;
  /** `-i` and `-F` of the intercept. */
  readonly capturesOn: string;
  readonly filter: string;
  readonly devices: readonly ProbeDevice[];
  /**
   * Segments of the targets to the source addresses, on ports that no tcpcopy of this intercept has leased; repetitions do
   * not count.
   */
  readonly foreign: number;
  readonly sightings: readonly Sighting[];
}

const KINDS: readonly SightingKind[] = ['tcp', 'icmp', 'arp'];
const FLAG_OUTGOING = 1;
const FLAG_TAKEN = 2;
const FORWARDS_4 = 1;
const FORWARDS_6 = 2;

export function writeProbeReport(out: FieldWriter, report: ProbeReport): void {
  out.u32(report.token);
  out.u8(report.open ? 1 : 0);
  out.text(report.problem);
  out.text(report.capturesOn);
  out.text(report.filter);
  out.u8(report.devices.length);
  for (const device of report.devices) {
    out.text(device.name);
    out.u8((device.forwards4 ? FORWARDS_4 : 0) | (device.forwards6 ? FORWARDS_6 : 0));
    out.u8(device.rpFilter);
    out.u8(device.addresses.length);
    for (const { address, prefix } of device.addresses) {
      out.address(address);
      out.u8(prefix);
    }
  }
  out.u32(report.foreign);
  out.u16(report.sightings.length);
  for (const sighting of report.sightings) writeSighting(out, sighting);
}

export function readProbeReport(type: typeof PROBE_REPORT, from: FieldReader): ProbeReport {
  return {
    type,
    token: from.u32(),
    open: from.u8() === 1,
    problem: from.text(),
    capturesOn: from.text(),
    filter: from.text(),
    devices: list(from.u8(), MAX_PROBE_DEVICES, () => readDevice(from)),
    foreign: from.u32(),
    sightings: list(from.u16(), MAX_SIGHTINGS, () => readSighting(from)),
  };
}

function readDevice(from: FieldReader): ProbeDevice {
  const name = from.text();
  const forwards = from.u8();
  const rpFilter = from.u8();
  const addresses = list(from.u8(), 255, () => ({ address: from.address(), prefix: from.u8() }));
  return {
    name,
    forwards4: (forwards & FORWARDS_4) !== 0,
    forwards6: (forwards & FORWARDS_6) !== 0,
    rpFilter,
    addresses,
  };
}

function writeSighting(out: FieldWriter, s: Sighting): void {
  out.u8(KINDS.indexOf(s.kind));
  out.u8((s.outgoing ? FLAG_OUTGOING : 0) | (s.taken ? FLAG_TAKEN : 0));
  out.text(s.device);
  out.address(s.source);
  out.u16(s.sourcePort);
  out.address(s.destination);
  out.u16(s.destinationPort);
  out.u8(s.flags);
  out.u32(s.seq);
  out.u32(s.ack);
  out.address(s.reporter);
  out.u8(s.icmpType);
  out.u8(s.icmpCode);
}

function readSighting(from: FieldReader): Sighting {
  const kind = KINDS[from.u8()];
  if (kind === undefined) throw protocolError('PROBE_REPORT has a sighting of an unknown kind');
  const bits = from.u8();
  return {
    kind,
    outgoing: (bits & FLAG_OUTGOING) !== 0,
    taken: (bits & FLAG_TAKEN) !== 0,
    device: from.text(),
    source: from.address(),
    sourcePort: from.u16(),
    destination: from.address(),
    destinationPort: from.u16(),
    flags: from.u8(),
    seq: from.u32() | 0,
    ack: from.u32() | 0,
    reporter: from.address(),
    icmpType: from.u8(),
    icmpCode: from.u8(),
  };
}

function list<T>(count: number, most: number, item: () => T): T[] {
  if (count > most) throw protocolError(`PROBE_REPORT has a list of ${count} entries`);
  return Array.from({ length: count }, item);
}
