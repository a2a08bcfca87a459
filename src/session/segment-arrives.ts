/** "SEGMENT ARRIVES", RFC 9293 §3.10.7: the checks in its order, each step named after what the RFC has it decide. */
import { seqAdd, seqDiff, type SeqNum } from '../core/seq-num.ts';
import { micros, type Instant } from '../core/time.ts';
import { CHECKSUM_BAD, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, type Segment } from '../wire/segment.ts';
import { parseTcpOptions, TcpOptions } from '../wire/tcp-options.ts';
import type { ControlBlock } from './control-block.ts';
import {
  isCrossedSynAck,
  judgeSynSent,
  negotiate,
  SYN_ACCEPTED,
  SYN_CROSSED,
  SYN_REFUSED,
  SYN_STALE,
} from './handshake.ts';
import { EVENT_ACKED, EVENT_CLOSED, EVENT_NONE, EVENT_PEER_FIN, EVENT_REFUSED, EVENT_RESET } from './session-event.ts';
import {
  canReceive,
  CLOSED,
  CLOSING,
  FIN_WAIT_2,
  LAST_ACK,
  ON_FIN_ACKED,
  ON_PEER_FIN,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
} from './tcp-state.ts';

/** How soon a SYN follows the reset of a stale connection: late enough not to overtake it. */
const STALE_RETRY = micros(2_000);

/** Read anew from each segment; no session keeps it. */
const incoming = new TcpOptions();

export function segmentArrives(tcb: ControlBlock, now: Instant, segment: Segment): void {
  tcb.receiver.forgetText();
  if (segment.checksum === CHECKSUM_BAD) {
    tcb.config.stats.refused++;
    return;
  }
  if (tcb.state === CLOSED) {
    arrivesClosed(tcb, segment);
    return;
  }
  if (segment.optionsLength > 0) parseTcpOptions(segment, incoming);
  else incoming.clear();
  if (tcb.state === SYN_SENT) arrivesInSynSent(tcb, now, segment);
  else arrivesSynchronized(tcb, now, segment);
}

/** §3.10.7.1. One that never opened has no right to answer. */
function arrivesClosed(tcb: ControlBlock, segment: Segment): void {
  tcb.config.stats.refused++;
  if (!tcb.opened || (segment.flags & (TCP_RST | TCP_ACK)) !== TCP_ACK || tcb.reset !== undefined) return;
  tcb.scheduleReset(segment.ack, false);
}

/** §3.10.7.3. */
function arrivesInSynSent(tcb: ControlBlock, now: Instant, segment: Segment): void {
  const { sender, receiver } = tcb;
  switch (judgeSynSent(segment, seqAdd(sender.iss, 1))) {
    case SYN_ACCEPTED:
      negotiate(tcb.config, sender, receiver, segment, incoming);
      tcb.establish(now, segment, segment.window);
      if (tcb.sendsFirst) tcb.timers.setDelayedAck(now, tcb.config.delayedAck);
      else receiver.ackNow = true;
      break;
    case SYN_CROSSED:
      negotiate(tcb.config, sender, receiver, segment, incoming);
      tcb.setState(SYN_RECEIVED);
      tcb.synDue = true;
      break;
    case SYN_REFUSED:
      tcb.end(EVENT_REFUSED);
      break;
    case SYN_STALE:
      tcb.config.stats.refused++;
      tcb.scheduleReset(segment.ack, false);
      if (!tcb.staleSeen) tcb.timers.setRetransmit(now, STALE_RETRY);
      tcb.staleSeen = true;
      break;
    default:
      tcb.config.stats.refused++;
  }
}

/** §3.10.7.4: every state from SYN-RECEIVED on. */
function arrivesSynchronized(tcb: ControlBlock, now: Instant, segment: Segment): void {
  const { sender, receiver } = tcb;
  const flags = segment.flags;
  const seq = segment.seq;

  if (tcb.state === SYN_RECEIVED && isCrossedSynAck(segment, receiver, sender)) {
    tcb.establish(now, segment, segment.window);
    receiver.ackNow = true;
    return;
  }
  if ((flags & TCP_RST) !== 0) {
    resetArrives(tcb, now, seq);
    return;
  }
  if (receiver.isOld(incoming)) {
    tcb.challenge(now);
    return;
  }
  const length = segment.sentLength + (flags & TCP_FIN ? 1 : 0) + (flags & TCP_SYN ? 1 : 0);
  if (!receiver.acceptable(seq, length)) {
    unacceptableArrives(tcb, now, segment);
    return;
  }
  if ((flags & TCP_SYN) !== 0) {
    // RFC 5961 §4. Also the SYN-ACK again, when our acknowledgement of it was lost.
    tcb.challenge(now);
    return;
  }
  if ((flags & TCP_ACK) === 0) {
    tcb.config.stats.refused++;
    return;
  }
  if (tcb.state === SYN_RECEIVED) {
    if (segment.ack !== sender.nxt) {
      tcb.config.stats.refused++;
      tcb.scheduleReset(segment.ack, false);
      return;
    }
    tcb.establish(now, segment, segment.window << sender.window.shift);
  }
  receiver.noteTimestamp(seq, incoming);

  const acknowledged = sender.acknowledged;
  if (!sender.handleAck(now, seq, segment.ack, segment.window, length === 0, incoming)) {
    tcb.challenge(now);
    return;
  }
  if (sender.acknowledged !== acknowledged) tcb.announce(EVENT_ACKED);
  if (sender.finAcked) finAcknowledged(tcb, now);
  if (length > 0 && canReceive(tcb.state)) textArrives(tcb, now, segment);
}

/** RFC 5961 §3: only the exact next number resets; any other in the window is asked to prove itself. */
function resetArrives(tcb: ControlBlock, now: Instant, seq: SeqNum): void {
  const ahead = seqDiff(seq, tcb.receiver.nxt);
  if (ahead !== 0) {
    if (ahead > 0 && ahead < tcb.receiver.window) tcb.challenge(now);
    else tcb.config.stats.refused++;
    return;
  }
  const { state } = tcb;
  if (state === TIME_WAIT) tcb.close();
  else if (state === SYN_RECEIVED) tcb.end(EVENT_REFUSED);
  else if ((state === CLOSING || state === LAST_ACK) && tcb.sender.buffer.length === 0) tcb.end(EVENT_CLOSED);
  else tcb.end(EVENT_RESET);
}

/** §3.10.7.4, first. Repeated text or FIN means that our acknowledgement was lost; anything else may be a probe. */
function unacceptableArrives(tcb: ControlBlock, now: Instant, segment: Segment): void {
  if (segment.sentLength === 0 && (segment.flags & TCP_FIN) === 0) {
    tcb.challenge(now);
    return;
  }
  tcb.config.stats.duplicates++;
  tcb.receiver.ackNow = true;
  if (tcb.state === TIME_WAIT) tcb.timers.setLinger(now, tcb.config.timeWait);
}

function finAcknowledged(tcb: ControlBlock, now: Instant): void {
  if (tcb.lastEvent !== EVENT_NONE) return;
  tcb.follow(ON_FIN_ACKED);
  // In FIN-WAIT-2 every acceptable segment, late data above all, shows that the peer is still there.
  if (tcb.state === FIN_WAIT_2) tcb.timers.setLinger(now, tcb.config.finWait2Timeout);
  else if (tcb.state === TIME_WAIT) tcb.enterTimeWait(now);
}

function textArrives(tcb: ControlBlock, now: Instant, segment: Segment): void {
  tcb.receiver.handleText(now, segment);
  if (!tcb.receiver.finTaken) return;
  tcb.announce(EVENT_PEER_FIN);
  tcb.follow(ON_PEER_FIN);
  if (tcb.state === TIME_WAIT) tcb.enterTimeWait(now);
}
