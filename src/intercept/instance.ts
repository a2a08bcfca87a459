/** One tcpcopy process as the intercept knows it: what it wants, and the connections it is reached by. */
import type { Targets } from '../control/messages.ts';
import type { IpAddress } from '../core/ip-address.ts';
import type { Segment } from '../wire/segment.ts';
import { AddressRanges } from './address-ranges.ts';
import type { Peer } from './peer.ts';
import { TargetSet } from './target-set.ts';

export class Instance {
  /** Its id in hexadecimal. */
  readonly id: string;
  /** Its holder number in the lease table. */
  readonly slot: number;
  /** Where the lease table begins to look for blocks for it. */
  readonly place: number;
  readonly peers: Peer[] = [];
  /** Payload bytes wanted per segment. */
  maxPayload = 0;
  /** Its requests are late for want of responses. */
  hurries = false;
  /** How many blocks it asked for last. */
  wanted = 0;
  /** Counts of connections that are gone. */
  forwardedBefore = 0;
  droppedBefore = 0;
  #targets = new TargetSet([]);
  /** `undefined`: responses to any client address. */
  #clients: AddressRanges | undefined;

  constructor(id: string, slot: number, place: number) {
    this.id = id;
    this.slot = slot;
    this.place = place;
  }

  get targets(): TargetSet {
    return this.#targets;
  }

  setTargets(message: Targets): void {
    this.#targets = new TargetSet(message.targets);
    this.#clients = message.clients.length === 0 ? undefined : new AddressRanges(message.clients);
  }

  /** Whether this is a response to one of its sessions, the destination port being its own already. */
  accepts(s: Segment): boolean {
    if (!this.#targets.contains(s.src0, s.src1, s.src2, s.src3, s.srcPort)) return false;
    return this.#clients === undefined || this.#clients.contains(s.dst0, s.dst1, s.dst2, s.dst3);
  }

  /** Whether it has said that its sessions come from this address. */
  isClient({ w0, w1, w2, w3 }: IpAddress): boolean {
    return this.#clients?.contains(w0, w1, w2, w3) === true;
  }

  /**
   * The connection that responses take: the first. One write then serves all that gathers, and segments of a session stay
   * in order. The others stand by: when it is lost the next takes over, and a few segments may overtake others, which TCP
   * bears.
   */
  get outlet(): Peer | undefined {
    return this.peers[0];
  }

  add(peer: Peer): void {
    this.peers.push(peer);
    this.peers.sort((a, b) => a.index - b.index);
  }

  remove(peer: Peer): void {
    const at = this.peers.indexOf(peer);
    if (at < 0) return;
    this.peers.splice(at, 1);
    this.forwardedBefore += peer.forwarded;
    this.droppedBefore += peer.dropped;
  }

  get forwarded(): number {
    return this.peers.reduce((sum, peer) => sum + peer.forwarded, this.forwardedBefore);
  }

  get dropped(): number {
    return this.peers.reduce((sum, peer) => sum + peer.dropped, this.droppedBefore);
  }
}
