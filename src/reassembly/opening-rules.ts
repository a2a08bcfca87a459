/** Which segments may begin a connection, between endpoints that are not known or that were another's, and who is its client. */
import { CHECKSUM_BAD, TCP_ACK, TCP_RST, TCP_SYN, type Segment } from '../wire/segment.ts';
import { isServicePort } from './service-ports.ts';
import type { TrackerOptions } from './tracker-options.ts';

/** Wrong checksums are rare where so many connections begin with a right one for each. */
const RARE = 20;

export class OpeningRules {
  readonly #options: TrackerOptions;
  /** Connections that began with a right checksum, and segments with a wrong one that would begin one in the middle. */
  #sound = 0;
  #suspect = 0;
  /** Ports that SYNs were sent to: 1. */
  #servers: Uint8Array | undefined;

  constructor(options: TrackerOptions) {
    this.#options = options;
  }

  /** Whether a segment may begin another connection between endpoints that have, or had, one. */
  mayReplace(segment: Segment): boolean {
    return (segment.flags & TCP_SYN) !== 0 || this.#options.midstream !== 'off';
  }

  /** Whether a segment begins a connection. `behindSyn`: it continues a SYN that was seen before. */
  begins(segment: Segment, behindSyn: boolean): boolean {
    const { flags } = segment;
    const { midstream } = this.#options;
    if ((flags & TCP_SYN) === 0 && !behindSyn) {
      const opens = midstream === 'any' || (midstream === 'data' && segment.sentLength > 0 && (flags & TCP_RST) === 0);
      if (!opens) return false;
    }
    return segment.checksum !== CHECKSUM_BAD || (midstream === 'any' && !this.#isDamaged(segment));
  }

  /** Which end of a connection that a segment opens is the client. */
  clientIsSource(segment: Segment, behindSyn: boolean): boolean {
    const { flags, srcPort, dstPort } = segment;
    if (flags & TCP_SYN) {
      const client = (flags & TCP_ACK) === 0;
      (this.#servers ??= new Uint8Array(65_536))[client ? dstPort : srcPort] = 1;
      return client;
    }
    if (behindSyn) return true;
    const told = this.#options.clientOf?.(segment);
    if (told !== undefined) return told === 'source';
    const [from, to] = [this.#servers?.[srcPort] ?? 0, this.#servers?.[dstPort] ?? 0];
    return from === to ? !isServicePort(srcPort, dstPort) : from < to;
  }

  /** A connection has begun with this segment. */
  hasBegun(segment: Segment): void {
    if (segment.checksum !== CHECKSUM_BAD) this.#sound++;
  }

  /** Whether a segment with a wrong checksum is so by accident, so that not even its ports can be believed. */
  #isDamaged(segment: Segment): boolean {
    if (this.#options.suspectOpens === 'always' || segment.flags & TCP_SYN) return false;
    return this.#sound > RARE * ++this.#suspect;
  }
}
