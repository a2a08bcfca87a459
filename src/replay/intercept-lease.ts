/**
 * The blocks of source ports that one intercept has granted us, seen from here. Every lease message is answered by one
 * LEASE_GRANT that names all we hold, so only the answer to the last message counts: what is new in it was leased, what
 * is missing was lost.
 */
import type { LeaseGrant } from '../control/messages.ts';
import { BLOCK_PORTS, BLOCKS } from '../control/protocol.ts';

/** Ports `firstPort` to `firstPort + count - 1`. */
export interface PortRange {
  readonly firstPort: number;
  readonly count: number;
}

export interface LeaseChange {
  readonly leased: readonly PortRange[];
  readonly lost: readonly PortRange[];
}

export class InterceptLease {
  #held: readonly number[] = [];
  #wanted: number;
  #unanswered = 0;

  /** `wanted`: blocks to ask for at first. */
  constructor(wanted: number) {
    this.#wanted = clamp(wanted);
  }

  get held(): readonly number[] {
    return this.#held;
  }

  /** How many blocks we want in all. */
  get wanted(): number {
    return this.#wanted;
  }

  /** Whether the last message has been answered, so that `held` is what the intercept says. */
  get settled(): boolean {
    return this.#unanswered === 0;
  }

  /** Asks for more; what was refused before is not asked for again. */
  wantMore(blocks: number): void {
    const wanted = clamp(this.#held.length + blocks);
    this.#wanted = this.settled ? wanted : Math.max(this.#wanted, wanted);
  }

  messageSent(): void {
    this.#unanswered++;
  }

  /** The connection that carried the messages is gone: answers will not come. */
  connectionLost(): void {
    this.#unanswered = 0;
  }

  /** `undefined` when an answer to a later message is still to come. */
  granted(message: LeaseGrant): LeaseChange | undefined {
    this.#unanswered = Math.max(0, this.#unanswered - 1);
    if (!this.settled) return undefined;
    const blocks = [...message.blocks].sort((a, b) => a - b);
    const leased = blocks.filter((block) => !this.#held.includes(block));
    const lost = this.#held.filter((block) => !blocks.includes(block));
    this.#held = blocks;
    return { leased: toRanges(leased), lost: toRanges(lost) };
  }
}

function clamp(blocks: number): number {
  return Math.max(1, Math.min(blocks, BLOCKS));
}

/** Neighbouring blocks as one range; `blocks` ascend. */
function toRanges(blocks: readonly number[]): PortRange[] {
  const ranges: { firstPort: number; count: number }[] = [];
  for (const block of blocks) {
    const before = ranges.at(-1);
    const firstPort = block * BLOCK_PORTS;
    if (before !== undefined && before.firstPort + before.count === firstPort) before.count += BLOCK_PORTS;
    else ranges.push({ firstPort, count: BLOCK_PORTS });
  }
  return ranges;
}
