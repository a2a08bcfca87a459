/**
 * TCP options into a `TcpHeader.options` array. Each function writes at `at` and returns the offset after what it
 * wrote; `padOptions` ends the list:
 *
 *     let n = putMss(header.options, 0, 1460);
 *     n = putWindowScale(header.options, n, 7);
 *     header.optionsLength = padOptions(header.options, n);
 */
import {
  OPTION_MSS,
  OPTION_NOP,
  OPTION_SACK_PERMITTED,
  OPTION_TIMESTAMPS,
  OPTION_WINDOW_SCALE,
} from './tcp-options.ts';

/** Maximum segment size (RFC 9293 §3.7.1). */
export function putMss(options: Uint8Array, at: number, mss: number): number {
  options[at] = OPTION_MSS;
  options[at + 1] = 4;
  options[at + 2] = mss >>> 8;
  options[at + 3] = mss;
  return at + 4;
}

/** Window scale, a shift of 0 to 14 (RFC 7323 §2.2). */
export function putWindowScale(options: Uint8Array, at: number, shift: number): number {
  options[at] = OPTION_WINDOW_SCALE;
  options[at + 1] = 3;
  options[at + 2] = shift;
  return at + 3;
}

/** SACK permitted (RFC 2018 §2). */
export function putSackPermitted(options: Uint8Array, at: number): number {
  options[at] = OPTION_SACK_PERMITTED;
  options[at + 1] = 2;
  return at + 2;
}

/** Timestamps (RFC 7323 §3.2): our clock, and the peer's as last seen (0 in a SYN). */
export function putTimestamps(options: Uint8Array, at: number, value: number, echo: number): number {
  options[at] = OPTION_TIMESTAMPS;
  options[at + 1] = 10;
  putWord(options, at + 2, value);
  putWord(options, at + 6, echo);
  return at + 10;
}

/** Fills with NOPs up to a 32-bit boundary, as the data offset wants. */
export function padOptions(options: Uint8Array, at: number): number {
  while ((at & 3) !== 0) options[at++] = OPTION_NOP;
  return at;
}

function putWord(options: Uint8Array, at: number, word: number): void {
  options[at] = word >>> 24;
  options[at + 1] = word >>> 16;
  options[at + 2] = word >>> 8;
  options[at + 3] = word;
}
