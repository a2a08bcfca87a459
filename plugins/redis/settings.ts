/** What one run's Redis codecs share: limits, policy, and counters. */
import { ReasonCounts, type ByteBudget } from 'tcpcopy/plugin';

export interface RedisSettings {
  /** The longest command that is held until it is whole, bytes; of a longer one the rest streams past. */
  readonly commandLimit: number;
  /** The longest reply that is kept, bytes; of a longer one only its length is known. */
  readonly replyLimit: number;
  /** Bytes of commands and replies that all connections together may hold. */
  readonly budget: ByteBudget;
  /** What to do with bytes that redis-server would not take for commands: pass them on as they are, or not at all. */
  readonly unparsable: 'raw' | 'drop';
  readonly stats: RedisStats;
}

export class RedisStats {
  commands = 0;
  /** Commands longer than the limit. */
  streamed = 0;
  /** Replies to commands, and what nobody asked for. */
  replies = 0;
  pushes = 0;
  /** Times the next command was found after a gap, or in a connection picked up in the middle. */
  resynchronised = 0;
  /** Times bytes turned out not to be commands, by what was wrong. */
  readonly unparsable = new ReasonCounts();
  /** Times a server's bytes turned out not to be replies, likewise. */
  readonly unreadable = new ReasonCounts();
}

export function redisSettings(chosen: Partial<RedisSettings> = {}): RedisSettings {
  return {
    commandLimit: 1 << 20,
    replyLimit: 64 << 10,
    budget: { used: 0, limit: 64 << 20 },
    unparsable: 'raw',
    stats: new RedisStats(),
    ...chosen,
  };
}
