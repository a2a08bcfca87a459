/** What the kernel is to capture for the instances that are connected. */
import type { CaptureFilter } from '../capture/capture-filter.ts';
import type { TargetRange } from '../control/messages.ts';
import { TAGGED_TEXT } from '../capture/selection.ts';
import { formatIp } from '../core/ip-address.ts';

/** Nobody is connected: a port that no TCP connection has. */
const NOTHING = { portFirst: 0, portLast: 0 };

/** Packets from these targets. Equal ranges of several instances are told to the kernel once. */
export function exactFilter(targets: readonly TargetRange[], expression: string | undefined): CaptureFilter {
  const distinct = new Map(targets.map((t) => [`${formatIp(t.address)} ${t.portFirst} ${t.portLast}`, t]));
  const endpoints = distinct.size === 0 ? [NOTHING] : [...distinct.values()];
  return { selection: { endpoints, direction: 'from' }, expression };
}

/** A superset for when the exact filter is longer than the kernel takes; the router does the rest. */
export function coarseFilter(targets: readonly TargetRange[], expression: string | undefined): CaptureFilter {
  const portFirst = Math.min(...targets.map((t) => t.portFirst));
  const portLast = Math.max(...targets.map((t) => t.portLast));
  return { selection: { endpoints: [{ portFirst, portLast }], direction: 'from' }, expression };
}

/**
 * For a source whose filter stays as it is: everything that anybody may ask for, but not what is sent from the control port.
 * That is TCP, the pieces of it that show no ports, and what still has a VLAN tag. What goes to that port may be a response:
 * it is one of those that sessions are leased.
 */
export function lastingFilter(expression: string | undefined, controlPort: number): CaptureFilter {
  const tcp = `not tcp src port ${controlPort} and (tcp or ip6 or ${TAGGED_TEXT})`;
  return { expression: expression === undefined ? tcp : `(${expression}) and ${tcp}` };
}
