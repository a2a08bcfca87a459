/**
 * What the libpcap process (pcap-child.ts) tells the source that started it. Small messages go through the IPC channel;
 * frames through a pipe of their own, each as a little-endian header and its bytes.
 */

import type { Selection } from './selection.ts';

export interface PcapChildOptions {
  readonly device: string;
  /** pcap-filter(7) text; empty takes everything. */
  readonly filter: string;
  /** What is wanted of the frames with VLAN tags that the filter lets through; none is all of them. */
  readonly selection?: Selection | undefined;
  readonly direction: 'in' | 'out' | 'both';
  readonly bufferBytes: number;
  readonly snapLength: number;
  /** The `monotonicEpoch` of the process that frames' times are for. */
  readonly epoch: number;
}

export type PcapChildMessage =
  /** Frames count from here on. `countsLosses`: RECORD_DROPS tells of the kernel's drops, too. */
  | { readonly kind: 'opened'; readonly linkType: number; readonly countsLosses: boolean }
  | {
      readonly kind: 'failed';
      readonly what: 'module' | 'device' | 'filter' | 'open';
      readonly message: string;
      readonly devices: readonly string[];
    };

/** To the child: give what is captured by now, then end. */
export const PCAP_STOP = 'stop';

/** To the child: only so much payload is wanted of each TCP segment. */
export interface PcapPayloadLimit {
  readonly payload: number;
}

/** Header of a frame, as 32-bit words: captured bytes, bytes on the wire, FRAME_ bits, unused; then the time, f64. */
export const RECORD_HEADER = 24;
export const RECORD_CAPTURED = 0;
export const RECORD_LENGTH = 4;
export const RECORD_FLAGS = 8;
export const RECORD_TIME = 16;
/** Instead of `captured`: no frame; RECORD_LENGTH says how many frames were lost since the last such record. */
export const RECORD_DROPS = 0xffff_ffff;

/** `cap` has the same limit built in. */
export const PCAP_MAX_FRAME = 65535;
