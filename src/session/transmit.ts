/**
 * Which packet of a session leaves next: a reset, a SYN, stream data or FIN (each carrying an acknowledgement), a window
 * probe, a bare acknowledgement.
 */
import type { PacketBatch } from '../core/packet-batch.ts';
import { seqAdd, seqDiff, seqNum, type SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from '../wire/segment.ts';
import type { ControlBlock, Reset } from './control-block.ts';
import { windowShiftFor } from './handshake.ts';
import { outgoing, writeSegment } from './packet-writer.ts';
import { writeOptions, writeSynOptions } from './segment-options.ts';
import { chosen } from './sender.ts';
import { CLOSED, ESTABLISHED, SYN_RECEIVED, SYN_SENT } from './tcp-state.ts';

/** More than any packet without payload takes. */
const HEADERS_MAX = 128;

/** Writes at most one packet; false when there is none to send, or `batch` has no room for one. */
export function transmit(tcb: ControlBlock, now: Instant, batch: PacketBatch): boolean {
  const { packetMax } = tcb.config;
  const at = batch.reserve(packetMax > HEADERS_MAX ? packetMax : HEADERS_MAX);
  if (at < 0) return false;
  if (tcb.reset !== undefined) return writeReset(tcb, tcb.reset, batch, at);
  const { state, sender, receiver } = tcb;
  if (state === CLOSED) return false;
  if (tcb.synDue) return writeSyn(tcb, now, batch, at);
  if (state === SYN_SENT) return false;

  outgoing.optionsLength =
    receiver.timestampsEnabled || receiver.hasEarly
      ? writeOptions(outgoing.options, receiver, sender.timestamp(now))
      : 0;
  if (state >= ESTABLISHED && sender.choose(now, outgoing.optionsLength)) {
    const flags = (sender.segmentPush ? TCP_PSH : 0) | (chosen.fin ? TCP_FIN : 0);
    write(tcb, batch, at, chosen.seq, flags, chosen.length);
    sender.sent(now);
    receiver.ackSent(false);
    return true;
  }
  if (sender.takeProbe()) {
    // As Linux probes: one number back and empty, which no receiver can accept and each must therefore answer.
    write(tcb, batch, at, seqAdd(sender.una, -1), 0, 0);
    return true;
  }
  if (!receiver.ackDue) return false;
  write(tcb, batch, at, sender.nxt, 0, 0);
  receiver.ackSent(true);
  return true;
}

function writeReset(tcb: ControlBlock, reset: Reset, batch: PacketBatch, at: number): true {
  tcb.reset = undefined;
  outgoing.optionsLength = 0;
  outgoing.seq = reset.seq;
  outgoing.ack = reset.acks ? tcb.receiver.nxt : seqNum(0);
  outgoing.flags = reset.acks ? TCP_RST | TCP_ACK : TCP_RST;
  outgoing.window = 0;
  writeSegment(batch, at, tcb.local, tcb.remote, tcb.sender.buffer, 0, 0, 0);
  return true;
}

/** Our SYN; in SYN-RECEIVED with the ACK, and only with what the peer's SYN offered too. */
function writeSyn(tcb: ControlBlock, now: Instant, batch: PacketBatch, at: number): true {
  tcb.synDue = false;
  const { config, sender, receiver } = tcb;
  const crossed = tcb.state === SYN_RECEIVED;
  const timestamps = crossed ? receiver.timestampsEnabled : config.timestamps;
  outgoing.optionsLength = writeSynOptions(
    outgoing.options,
    sender.mss,
    crossed && !receiver.windowScaling ? -1 : windowShiftFor(config.receiveWindow),
    crossed ? receiver.sackEnabled : config.sack,
    timestamps,
    timestamps ? sender.timestamp(now) : 0,
    receiver.timestampRecent,
  );
  outgoing.seq = sender.iss;
  outgoing.ack = crossed ? receiver.nxt : seqNum(0);
  outgoing.flags = crossed ? TCP_SYN | TCP_ACK : TCP_SYN;
  outgoing.window = receiver.wireWindow(true);
  writeSegment(batch, at, tcb.local, tcb.remote, sender.buffer, 0, 0, 0);
  sender.synSent(now);
  if (crossed) receiver.ackSent(false);
  return true;
}

function write(tcb: ControlBlock, batch: PacketBatch, at: number, seq: SeqNum, flags: number, length: number): void {
  const { sender, receiver } = tcb;
  outgoing.seq = seq;
  outgoing.ack = receiver.nxt;
  outgoing.flags = flags | TCP_ACK;
  outgoing.window = receiver.wireWindow(false);
  const start = length > 0 ? seqDiff(seq, sender.una) : 0;
  writeSegment(
    batch,
    at,
    tcb.local,
    tcb.remote,
    sender.buffer,
    start,
    length,
    sender.segmentMax(outgoing.optionsLength),
  );
}
