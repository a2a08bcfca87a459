/** Control messages to bytes; `Decoder` undoes it. Packet data goes through `ResponseWriter`. */
import { FieldWriter } from './fields.ts';
import type { ControlMessage } from './messages.ts';
import { writeProbeReport } from './probe.ts';
import {
  BYE,
  CHALLENGE,
  HELLO,
  HELLO_HAS_KEY,
  HURRY,
  LEASE_GRANT,
  LEASE_REQUEST,
  LENGTH_BYTES,
  MAGIC,
  PING,
  PONG,
  PROBE,
  PROBE_REPORT,
  PROOF,
  RECLAIM,
  REFUSED,
  STATS,
  TARGETS,
  WANT_PAYLOAD,
  WELCOME,
} from './protocol.ts';

/** The whole message: length, type, body. */
export function encode(message: ControlMessage): Uint8Array {
  const out = new FieldWriter();
  out.u32(0);
  out.u8(message.type);
  writeBody(out, message);
  out.setU32(0, out.length - LENGTH_BYTES);
  return out.finish();
}

function writeBody(out: FieldWriter, message: ControlMessage): void {
  switch (message.type) {
    case HELLO:
      out.u32(MAGIC);
      out.u16(message.versionMin);
      out.u16(message.versionMax);
      out.raw(message.instanceId);
      out.u8(message.connectionIndex);
      out.u8(message.connections);
      out.u8(message.hasKey ? HELLO_HAS_KEY : 0);
      out.u32(message.capabilities);
      out.raw(message.nonce);
      out.text(message.software);
      return;
    case CHALLENGE:
      out.u16(message.version);
      out.raw(message.nonce);
      return;
    case PROOF:
      out.raw(message.proof);
      return;
    case WELCOME:
      out.u16(message.version);
      out.u32(message.capabilities);
      out.raw(message.interceptId);
      out.u32(message.leaseSilence);
      out.u8(message.proof.length);
      out.raw(message.proof);
      out.text(message.software);
      return;
    case REFUSED:
      out.u8(message.reason);
      out.u16(message.versionMin);
      out.u16(message.versionMax);
      out.text(message.text);
      return;
    case TARGETS:
      out.u16(message.targets.length);
      for (const range of message.targets) {
        out.address(range.address);
        out.u16(range.portFirst);
        out.u16(range.portLast);
      }
      out.u16(message.clients.length);
      for (const range of message.clients) {
        out.address(range.first);
        out.u64(range.count);
      }
      return;
    case LEASE_REQUEST:
      out.u8(message.blocks);
      return;
    case LEASE_GRANT:
      out.u8(message.wanted);
      out.u8(message.free);
      writeBlocks(out, message.blocks);
      return;
    case RECLAIM:
      writeBlocks(out, message.blocks);
      return;
    case WANT_PAYLOAD:
      out.u32(message.maxBytes);
      return;
    case HURRY:
      out.u8(message.on ? 1 : 0);
      return;
    case PING:
    case PONG:
      out.u32(message.token);
      return;
    case STATS:
      out.u64(message.frames);
      out.u64(message.kernelDropped);
      out.u64(message.forwarded);
      out.u64(message.dropped);
      return;
    case BYE:
      out.text(message.text);
      return;
    case PROBE:
      out.u32(message.token);
      out.u16(message.duration);
      return;
    case PROBE_REPORT:
      writeProbeReport(out, message);
      return;
  }
}

function writeBlocks(out: FieldWriter, blocks: readonly number[]): void {
  out.u8(blocks.length);
  for (const block of blocks) out.u8(block);
}
