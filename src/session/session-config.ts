/** What all sessions of one target share. Durations are microseconds, sizes bytes. */
import { millis, seconds, type Duration } from '../core/time.ts';
import type { SendBufferPool } from './send-buffer.ts';
import { SessionStats } from './session-stats.ts';
import type { TcpState } from './tcp-state.ts';

export interface SessionConfig {
  /** What becomes of their segments. */
  readonly stats: SessionStats;
  /** Where unacknowledged bytes of all sessions live. */
  readonly sendBuffer: SendBufferPool;
  /** Largest payload sent and announced, before the peer's MSS and the MTU are applied. */
  readonly mss: number;
  /** Largest IP packet sent. */
  readonly mtu: number;
  /** Largest IP packet written: more than `mtu` where whoever sends it cuts it into segments (`PacketBatch`). */
  readonly packetMax: number;
  /** Window announced: constant, for what arrives is handed out at once. */
  readonly receiveWindow: number;
  /** Bytes of one session that may wait for acknowledgement, so that a target that does not read costs no more. */
  readonly sendBufferPerSession: number;
  /** Bytes of one session held because an earlier segment is missing; beyond it the peer has to send again. */
  readonly outOfOrderLimit: number;
  /** The same, over all sessions that share it. Bytes only: text of which only the length is known costs nothing. */
  readonly outOfOrderBudget: { used: number; readonly limit: number };
  /** Segments sent before the first acknowledgement (RFC 6928). */
  readonly initialWindowSegments: number;
  readonly sack: boolean;
  /**
   * RFC 7323 timestamps. Off by default: TIME-WAIT at the target then accepts a reused port by its sequence number
   * alone, whichever process and clock used it before.
   */
  readonly timestamps: boolean;
  /** Added to our timestamp clock (milliseconds of `now`), for a clock that starts anew with each process. */
  readonly timestampOffset: number;
  /** RFC 6298 §2.1: before the first measurement. */
  readonly initialRto: Duration;
  /** Linux's 200 ms rather than RFC 6298's second: replay paths are short, and delayed ACKs stay below it. */
  readonly minRto: Duration;
  /** The cap of RFC 6298 §2.5. Low, because a copied request is of no use an hour later. */
  readonly maxRto: Duration;
  /** Transmissions of a SYN, the first included. */
  readonly synTries: number;
  /** Retransmission timeouts in a row that data or a FIN may suffer. */
  readonly dataTries: number;
  /** Longest time without progress, or with the window shut, without hearing from the peer. */
  readonly giveUpAfter: Duration;
  /** Longest time that a peer which answers may keep its window shut. */
  readonly zeroWindowTimeout: Duration;
  /** Pause after which an acknowledgement leaves alone (RFC 9293 §3.8.6.3). */
  readonly delayedAck: Duration;
  /** Longest wait for the peer's FIN after ours; late data restarts it. */
  readonly finWait2Timeout: Duration;
  /** How long a finished session answers a repeated FIN. Short: keeping the port from reuse is its owner's affair. */
  readonly timeWait: Duration;
  /** Acknowledgements per second that refuse something (RFC 5961 §7), so that two confused ends do not storm. */
  readonly challengeAcksPerSecond: number;
  /** Called on each change of state. */
  readonly trace: ((from: TcpState, to: TcpState) => void) | undefined;
}

export const SESSION_DEFAULTS: Omit<SessionConfig, 'stats' | 'sendBuffer' | 'outOfOrderBudget'> = {
  mss: 1_460,
  mtu: 1_500,
  packetMax: 1_500,
  receiveWindow: 262_144,
  sendBufferPerSession: 262_144,
  outOfOrderLimit: 262_144,
  initialWindowSegments: 10,
  sack: true,
  timestamps: false,
  timestampOffset: 0,
  initialRto: seconds(1),
  minRto: millis(200),
  maxRto: seconds(5),
  synTries: 12,
  dataTries: 15,
  giveUpAfter: seconds(60),
  zeroWindowTimeout: seconds(600),
  delayedAck: millis(40),
  finWait2Timeout: seconds(60),
  timeWait: seconds(1),
  challengeAcksPerSecond: 10,
  trace: undefined,
};

/** The defaults with some of them replaced. */
export function sessionConfig(
  options: Partial<SessionConfig> & { readonly sendBuffer: SendBufferPool },
): SessionConfig {
  const outOfOrderBudget = { used: 0, limit: Infinity };
  const packetMax = options.mtu ?? SESSION_DEFAULTS.mtu;
  return { ...SESSION_DEFAULTS, packetMax, stats: new SessionStats(), outOfOrderBudget, ...options };
}
