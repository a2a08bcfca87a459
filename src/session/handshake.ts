/**
 * Opening (RFC 9293 §3.5 and §3.10.7.3): what a segment means to a session that has sent its SYN, and what the two SYNs
 * agree on.
 *
 * The interesting cases beside the plain SYN-ACK:
 *   - An ACK of something we never sent: the target still knows an earlier connection of this port and answers our SYN
 *     with a challenge or TIME-WAIT acknowledgement. A RST with exactly the number it expects clears that, then the SYN
 *     goes out again, soon rather than after a timeout (as Linux does).
 *   - A SYN without ACK: simultaneous open, or a split handshake. Answered with SYN-ACK from SYN-RECEIVED.
 *   - Data on a SYN-ACK (fast open, which we never ask for): ignored, the peer sends it again.
 */
import { seqLe, type SeqNum } from '../core/seq-num.ts';
import { TCP_ACK, TCP_RST, TCP_SYN, type Segment } from '../wire/segment.ts';
import type { TcpOptions } from '../wire/tcp-options.ts';
import type { Receiver } from './receiver.ts';
import type { Sender } from './sender.ts';
import type { SessionConfig } from './session-config.ts';

export const SYN_IGNORE = 0;
/** The SYN-ACK that we wait for. */
export const SYN_ACCEPTED = 1;
/** The peer's own SYN crossed ours. */
export const SYN_CROSSED = 2;
export const SYN_REFUSED = 3;
/** The peer holds an older connection: to be reset. */
export const SYN_STALE = 4;

export type SynVerdict = 0 | 1 | 2 | 3 | 4;

/** RFC 9293 §3.10.7.3, first to fifth. `nxt` is ISS + 1. */
export function judgeSynSent(segment: Segment, nxt: SeqNum): SynVerdict {
  const flags = segment.flags;
  const acks = (flags & TCP_ACK) !== 0;
  if (acks && segment.ack !== nxt) return (flags & TCP_RST) !== 0 ? SYN_IGNORE : SYN_STALE;
  // A RST that acknowledges nothing could come from anybody.
  if ((flags & TCP_RST) !== 0) return acks ? SYN_REFUSED : SYN_IGNORE;
  if ((flags & TCP_SYN) === 0) return SYN_IGNORE;
  return acks ? SYN_ACCEPTED : SYN_CROSSED;
}

/** The shift that lets 16 bits announce the whole receive window (RFC 7323 §2.3). */
export function windowShiftFor(window: number): number {
  let shift = 0;
  while (shift < 14 && window >>> shift > 0xffff) shift++;
  return shift;
}

/** Takes over what the peer's SYN or SYN-ACK offers. Each extension is on only when both sides named it. */
export function negotiate(
  config: SessionConfig,
  sender: Sender,
  receiver: Receiver,
  segment: Segment,
  options: TcpOptions,
): void {
  receiver.begin(segment.seq);
  receiver.windowScaling = options.windowShift >= 0;
  if (receiver.windowScaling) {
    sender.window.shift = options.windowShift;
    receiver.windowShift = windowShiftFor(receiver.window);
  } else {
    receiver.window = Math.min(receiver.window, 0xffff);
  }
  sender.sackEnabled = receiver.sackEnabled = config.sack && options.sackPermitted;
  const timestamps = config.timestamps && options.hasTimestamps;
  sender.timestampsEnabled = receiver.timestampsEnabled = timestamps;
  if (timestamps) receiver.timestampRecent = options.timestampValue;
  sender.setPeerMss(options.mss, segment.ipVersion);
}

/**
 * Whether a segment in SYN-RECEIVED is the peer's SYN-ACK to our SYN, the third step of a simultaneous open (RFC 9293
 * figure 8). By its sequence number alone it would be a duplicate.
 */
export function isCrossedSynAck(segment: Segment, receiver: Receiver, sender: Sender): boolean {
  return (
    (segment.flags & (TCP_SYN | TCP_ACK | TCP_RST)) === (TCP_SYN | TCP_ACK) &&
    ((segment.seq + 1) | 0) === receiver.nxt &&
    segment.ack === sender.nxt &&
    seqLe(sender.una, segment.ack)
  );
}
