/** Reads the options of a segment in place (RFC 9293 §3.1): one pass, into an object that is reused. */
import type { Segment } from './segment.ts';

export const OPTION_END = 0;
export const OPTION_NOP = 1;
/** RFC 9293 §3.7.1. */
export const OPTION_MSS = 2;
/** RFC 7323 §2.2. */
export const OPTION_WINDOW_SCALE = 3;
/** RFC 2018 §2 and §3. */
export const OPTION_SACK_PERMITTED = 4;
export const OPTION_SACK = 5;
/** RFC 7323 §3.2. */
export const OPTION_TIMESTAMPS = 8;

/** 40 bytes of options hold four blocks at most. */
const SACK_BLOCKS_MAX = 4;
/** RFC 7323 §2.3: a larger shift is taken as this. */
const WINDOW_SHIFT_MAX = 14;

export class TcpOptions {
  /** 0 when absent. */
  mss = 0;
  /** -1 when absent: absent and 0 differ, for scaling is on only when both sides sent it. */
  windowShift = -1;
  sackPermitted = false;
  /** Blocks in use of `sackStart` and `sackEnd`: sequence numbers as signed 32-bit integers, `end` exclusive. */
  sackBlocks = 0;
  readonly sackStart = new Int32Array(SACK_BLOCKS_MAX);
  readonly sackEnd = new Int32Array(SACK_BLOCKS_MAX);
  hasTimestamps = false;
  /** The sender's clock and its echo of ours: 32-bit patterns as signed integers. */
  timestampValue = 0;
  timestampEcho = 0;
  /** The list ended in an option of impossible length; what came before it holds. */
  malformed = false;

  clear(): void {
    this.mss = 0;
    this.windowShift = -1;
    this.sackPermitted = false;
    this.sackBlocks = 0;
    this.hasTimestamps = false;
    this.timestampValue = 0;
    this.timestampEcho = 0;
    this.malformed = false;
  }
}

/**
 * Fills `out` from the segment's options. Unknown options, and known ones of a length not theirs, are skipped; an
 * option that overruns the header ends the walk, since nothing after it can be located.
 */
export function parseTcpOptions(segment: Segment, out: TcpOptions): void {
  out.clear();
  const view = segment.view;
  let at = segment.optionsOffset;
  const end = at + segment.optionsLength;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === OPTION_END) return;
    if (kind === OPTION_NOP) {
      at++;
      continue;
    }
    const length = at + 1 < end ? view.getUint8(at + 1) : 0;
    if (length < 2 || at + length > end) {
      out.malformed = true;
      return;
    }
    readOption(view, at, kind, length, out);
    at += length;
  }
}

function readOption(view: DataView, at: number, kind: number, length: number, out: TcpOptions): void {
  switch (kind) {
    case OPTION_MSS:
      if (length === 4) out.mss = view.getUint16(at + 2);
      break;
    case OPTION_WINDOW_SCALE:
      if (length === 3) out.windowShift = Math.min(view.getUint8(at + 2), WINDOW_SHIFT_MAX);
      break;
    case OPTION_SACK_PERMITTED:
      if (length === 2) out.sackPermitted = true;
      break;
    case OPTION_SACK:
      if ((length - 2) % 8 === 0) readSackBlocks(view, at + 2, (length - 2) >> 3, out);
      break;
    case OPTION_TIMESTAMPS:
      if (length === 10) {
        out.hasTimestamps = true;
        out.timestampValue = view.getInt32(at + 2);
        out.timestampEcho = view.getInt32(at + 6);
      }
      break;
    default:
      break;
  }
}

function readSackBlocks(view: DataView, at: number, blocks: number, out: TcpOptions): void {
  for (let i = 0; i < blocks && out.sackBlocks < SACK_BLOCKS_MAX; i++) {
    out.sackStart[out.sackBlocks] = view.getInt32(at + 8 * i);
    out.sackEnd[out.sackBlocks] = view.getInt32(at + 8 * i + 4);
    out.sackBlocks++;
  }
}
