/**
 * Which segments `-x` selects, and where their connections are copied to. One look-up by port per segment, no string,
 * no allocation.
 */
import { DROP_NONE, DROP_NOT_SELECTED, type DropReason } from '../core/drop-reason.ts';
import type { Endpoint } from '../core/ip-address.ts';
import type { Selected } from '../config/copy-options.ts';
import type { Segment } from '../wire/segment.ts';

export class Selector {
  readonly #mappings: readonly Selected[];
  /** For each port, 1 + the index of the first mapping that covers it; 0: none. */
  readonly #first = new Uint16Array(65_536);
  readonly #targetPorts = new Uint8Array(65_536);
  /** Of the last connection: mostly it is that of the next, too. */
  #target: Endpoint | undefined;

  constructor(mappings: readonly Selected[]) {
    this.#mappings = mappings;
    for (let i = mappings.length - 1; i >= 0; i--) {
      const { portFirst, portLast } = mappings[i]!.online;
      this.#first.fill(i + 1, portFirst, portLast + 1);
      const target = mappings[i]!.target;
      if (target !== undefined) this.#targetPorts.fill(1, target.port, target.port + portLast - portFirst + 1);
    }
  }

  /** `DROP_NONE` when either end of the segment is a selected online endpoint. */
  judge(segment: Segment): DropReason {
    return this.isServer(segment, true) || this.isServer(segment, false) ? DROP_NONE : DROP_NOT_SELECTED;
  }

  /** Whether the destination (or the source) of a segment is a selected online endpoint. */
  isServer(segment: Segment, destination: boolean): boolean {
    const port = destination ? segment.dstPort : segment.srcPort;
    if (this.#first[port] === 0) return false;
    const w0 = destination ? segment.dst0 : segment.src0;
    const w1 = destination ? segment.dst1 : segment.src1;
    const w2 = destination ? segment.dst2 : segment.src2;
    const w3 = destination ? segment.dst3 : segment.src3;
    return this.#find(w0, w1, w2, w3, port) !== undefined;
  }

  /** Where connections to an online endpoint are copied to; the endpoint itself where they go nowhere. */
  targetOf(online: Endpoint): Endpoint | undefined {
    const { w0, w1, w2, w3 } = online.address;
    const mapping = this.#find(w0, w1, w2, w3, online.port);
    if (mapping === undefined) return undefined;
    if (mapping.target === undefined) return online;
    const { address } = mapping.target;
    const port = mapping.target.port + online.port - mapping.online.portFirst;
    const last = this.#target;
    return last?.address === address && last.port === port ? last : (this.#target = { address, port });
  }

  #find(w0: number, w1: number, w2: number, w3: number, port: number): Selected | undefined {
    for (let i = this.#first[port]! - 1; i >= 0 && i < this.#mappings.length; i++) {
      const mapping = this.#mappings[i]!;
      const { address, portFirst, portLast } = mapping.online;
      if (port < portFirst || port > portLast) continue;
      if (address === undefined) {
        // Any address, but never our own copies on their way to a target.
        if (this.#targetPorts[port] === 0 || !this.#isTarget(w0, w1, w2, w3, port)) return mapping;
      } else if (address.w3 === w3 && address.w2 === w2 && address.w1 === w1 && address.w0 === w0) {
        return mapping;
      }
    }
    return undefined;
  }

  #isTarget(w0: number, w1: number, w2: number, w3: number, port: number): boolean {
    for (const { online, target } of this.#mappings) {
      if (target === undefined) continue;
      const a = target.address;
      const portLast = target.port + online.portLast - online.portFirst;
      const covers = port >= target.port && port <= portLast;
      if (covers && a.w3 === w3 && a.w2 === w2 && a.w1 === w1 && a.w0 === w0) return true;
    }
    return false;
  }
}
