/** From what a user wants captured to a BPF program: of our own for a plain selection, by libpcap for expressions. */
import { TcpcopyError } from '../core/errors.ts';
import type { NativeAddon } from '../native/addon.ts';
import { loadNative } from '../native/load.ts';
import { BPF_RET, BpfProgram } from './bpf.ts';
import { dltOf } from './link-type.ts';
import { selectionText, TAGGED_TEXT, type Selection } from './selection.ts';
import { compileSelection, type FrameShape } from './selection-filter.ts';

export interface CaptureFilter {
  /** What `-x` implies; `undefined` takes every frame. */
  readonly selection?: Selection | undefined;
  /** A user's pcap-filter(7) expression (`-F`), and-ed with the selection. */
  readonly expression?: string | undefined;
}

/** Accepts nothing: what a source attaches to stop new frames. */
export const REJECT_ALL = new BpfProgram([{ code: BPF_RET, jt: 0, jf: 0, k: 0 }]);

/**
 * The whole filter as text; `undefined` when everything is wanted. `tagged`: what has a VLAN tag is selected whatever is
 * behind it.
 */
export function filterText(filter: CaptureFilter, tagged = false): string | undefined {
  const plain = filter.selection === undefined ? undefined : selectionText(filter.selection);
  const selection = plain !== undefined && tagged ? `(${plain} or ${TAGGED_TEXT})` : plain;
  const expression = filter.expression?.trim();
  if (expression === undefined || expression === '') return selection;
  return selection === undefined ? expression : `(${expression}) and ${selection}`;
}

/** Whether the filter tells whole TCP segments from other frames, to cut them shorter: one of our own making does. */
export function cutsSegments({ selection, expression = '' }: CaptureFilter): boolean {
  return selection !== undefined && expression.trim() === '';
}

/**
 * The filter for frames of a packet socket that begin as `shape` says, each cut to `snapLength` bytes. Where it is of our
 * own making, those with a whole TCP segment are cut to `segmentLength`.
 */
export function compileKernelFilter(
  filter: CaptureFilter,
  shape: 'ethernet' | 'cooked',
  linkType: number,
  snapLength: number,
  segmentLength = snapLength,
): BpfProgram {
  if (filter.expression === undefined || filter.expression.trim() === '') {
    if (filter.selection === undefined) return new BpfProgram([{ code: BPF_RET, jt: 0, jf: 0, k: snapLength }]);
    return compileOwn(filter.selection, shape, snapLength, segmentLength);
  }
  return compileExpression(filter, linkType, snapLength);
}

function compileOwn(selection: Selection, shape: FrameShape, snapLength: number, segmentLength: number): BpfProgram {
  try {
    return compileSelection(selection, shape, snapLength, segmentLength);
  } catch (cause) {
    const n = selection.endpoints.length;
    throw new TcpcopyError('E_FILTER', `${n} endpoints make a filter longer than the kernel takes`, {
      where: '-x',
      hint: 'use port ranges or fewer addresses',
      cause,
    });
  }
}

/** Compiles selection and expression together, through libpcap. */
export function compileExpression(filter: CaptureFilter, linkType: number, snapLength: number): BpfProgram {
  const native = loadNative();
  if (native.addon === undefined) {
    throw new TcpcopyError('E_FILTER', `a filter expression needs the native addon here: ${native.reason}`, {
      where: '-F',
    });
  }
  // Alone first, so that the message is about what the user wrote: unbalanced parentheses would pass in company.
  compileText(native.addon, filter.expression ?? '', linkType, snapLength);
  return compileText(native.addon, filterText(filter) ?? '', linkType, snapLength);
}

function compileText(addon: NativeAddon, text: string, linkType: number, snapLength: number): BpfProgram {
  try {
    return BpfProgram.fromBytes(addon.compileFilter(dltOf(linkType), snapLength, text));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'LIBPCAP_MISSING';
    const hint = missing ? 'install libpcap (Debian: libpcap0.8), or leave -F out' : 'see pcap-filter(7)';
    throw new TcpcopyError('E_FILTER', message, { where: '-F', hint, cause });
  }
}
