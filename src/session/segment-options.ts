/** The TCP options of outgoing segments. */
import { TCP_OPTIONS_MAX } from '../wire/tcp-writer.ts';
import { OPTION_NOP, OPTION_SACK } from '../wire/tcp-options.ts';
import { padOptions, putMss, putSackPermitted, putTimestamps, putWindowScale } from '../wire/tcp-options-writer.ts';
import { seqGt } from '../core/seq-num.ts';
import type { Receiver } from './receiver.ts';

/** What a SYN offers. `windowShift` -1 and false leave an option out: a SYN-ACK repeats only what the SYN had. */
export function writeSynOptions(
  options: Uint8Array,
  mss: number,
  windowShift: number,
  sack: boolean,
  timestamps: boolean,
  value: number,
  echo: number,
): number {
  let at = putMss(options, 0, mss);
  if (sack) at = putSackPermitted(options, at);
  if (timestamps) at = putTimestamps(options, at, value, echo);
  if (windowShift >= 0) at = putWindowScale(options, at, windowShift);
  return padOptions(options, at);
}

/** Timestamps, and SACK blocks when something is held ahead of its turn. Returns the length. */
export function writeOptions(options: Uint8Array, receiver: Receiver, timestamp: number): number {
  let at = 0;
  if (receiver.timestampsEnabled) {
    options[0] = OPTION_NOP;
    options[1] = OPTION_NOP;
    at = putTimestamps(options, 2, timestamp, receiver.timestampRecent);
  }
  if (receiver.sackEnabled && receiver.hasEarly) at = writeSack(options, at, receiver);
  return at;
}

/** RFC 2018 §3, the newest block first. */
function writeSack(options: Uint8Array, at: number, receiver: Receiver): number {
  const room = (TCP_OPTIONS_MAX - at - 4) >> 3;
  let length = 0;
  for (const block of receiver.early!.sackBlocks(room)) {
    // What the user has not yet taken may already be acknowledged.
    if (!seqGt(block.start, receiver.nxt)) continue;
    const to = at + 4 + length;
    putWord(options, to, block.start);
    putWord(options, to + 4, block.end);
    length += 8;
  }
  if (length === 0) return at;
  options[at] = OPTION_NOP;
  options[at + 1] = OPTION_NOP;
  options[at + 2] = OPTION_SACK;
  options[at + 3] = length + 2;
  return at + 4 + length;
}

function putWord(options: Uint8Array, at: number, word: number): void {
  options[at] = word >>> 24;
  options[at + 1] = word >>> 16;
  options[at + 2] = word >>> 8;
  options[at + 3] = word;
}
