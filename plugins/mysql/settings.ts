/** What one run's MySQL codecs share: limits, policy, and counters. */
import { ReasonCounts, type ByteBudget } from 'tcpcopy/plugin';

export interface MysqlSettings {
  /** The longest command that is held until it is whole, bytes; of a longer one the rest streams past. */
  readonly commandLimit: number;
  /** Bytes that all connections together may hold. */
  readonly budget: ByteBudget;
  readonly stats: MysqlStats;
}

export class MysqlStats {
  commands = 0;
  /** Commands longer than the limit. */
  streamed = 0;
  responses = 0;
  /** Connections whose bytes cannot be read: TLS, and compression by zstd. */
  tls = 0;
  zstd = 0;
  /** Connections that were compressed by zlib. */
  compressed = 0;
  /** Times the next command was found after a gap, or in a connection picked up in the middle. */
  resynchronised = 0;
  /** Times bytes turned out not to be MySQL, by what was wrong. */
  readonly unparsable = new ReasonCounts();
  /** Times a server's bytes turned out not to be readable, likewise. */
  readonly unreadable = new ReasonCounts();
}

export function mysqlSettings(chosen: Partial<MysqlSettings> = {}): MysqlSettings {
  return { commandLimit: 1 << 20, budget: { used: 0, limit: 64 << 20 }, stats: new MysqlStats(), ...chosen };
}
