/** The messages of the control channel as values. A RESPONSES message is read in place instead: see `ResponseReader`. */
import type { IpAddress } from '../core/ip-address.ts';
import type {
  BYE,
  CHALLENGE,
  HELLO,
  HURRY,
  LEASE_GRANT,
  LEASE_REQUEST,
  PING,
  PONG,
  PROOF,
  RECLAIM,
  REFUSED,
  RESPONSES,
  STATS,
  TARGETS,
  WANT_PAYLOAD,
  WELCOME,
} from './protocol.ts';
import type { Probe, ProbeReport } from './probe.ts';
import type { ResponseReader } from './response-reader.ts';

/** tcpcopy's first message. Its first three fields never change place, whatever the version. */
export interface Hello {
  readonly type: typeof HELLO;
  readonly versionMin: number;
  readonly versionMax: number;
  /** Random; the same on all connections of one process and after its reconnects. */
  readonly instanceId: Uint8Array;
  /** Which of `connections` this is, from 0. */
  readonly connectionIndex: number;
  readonly connections: number;
  readonly hasKey: boolean;
  readonly capabilities: number;
  readonly nonce: Uint8Array;
  readonly software: string;
}

/** The intercept has a key: prove that you have it too. */
export interface Challenge {
  readonly type: typeof CHALLENGE;
  readonly version: number;
  readonly nonce: Uint8Array;
}

export interface Proof {
  readonly type: typeof PROOF;
  readonly proof: Uint8Array;
}

export interface Welcome {
  readonly type: typeof WELCOME;
  readonly version: number;
  readonly capabilities: number;
  /** Random; another one means that the intercept was restarted. */
  readonly interceptId: Uint8Array;
  /** How long a lease outlives the last connection, milliseconds. */
  readonly leaseSilence: number;
  /** Empty when there is no key. */
  readonly proof: Uint8Array;
  readonly software: string;
}

export interface Refused {
  readonly type: typeof REFUSED;
  /** REFUSED_ value. */
  readonly reason: number;
  readonly versionMin: number;
  readonly versionMax: number;
  readonly text: string;
}

/** Responses come from these addresses and ports. */
export interface TargetRange {
  readonly address: IpAddress;
  readonly portFirst: number;
  readonly portLast: number;
}

/** Sessions have these source addresses. */
export interface ClientRange {
  readonly first: IpAddress;
  readonly count: number;
}

/** Replaces what this instance said before. No client range: any address. */
export interface Targets {
  readonly type: typeof TARGETS;
  readonly targets: readonly TargetRange[];
  readonly clients: readonly ClientRange[];
}

/** "I want to hold this many blocks in all." Answered by one LEASE_GRANT. */
export interface LeaseRequest {
  readonly type: typeof LEASE_REQUEST;
  readonly blocks: number;
}

/** All that the instance holds now, not only what is new. */
export interface LeaseGrant {
  readonly type: typeof LEASE_GRANT;
  /** How many it asked for; more than `blocks` when there were too few left. */
  readonly wanted: number;
  /** How many blocks nobody holds. */
  readonly free: number;
  readonly blocks: readonly number[];
}

/** After a reconnect: "these were mine." Answered by one LEASE_GRANT. */
export interface Reclaim {
  readonly type: typeof RECLAIM;
  readonly blocks: readonly number[];
}

export interface Responses {
  readonly type: typeof RESPONSES;
  /** Reads this message until the decoder is asked for the next one. */
  readonly reader: ResponseReader;
}

export interface WantPayload {
  readonly type: typeof WANT_PAYLOAD;
  /** Payload bytes per segment, PAYLOAD_ALL for all, 0 for none. */
  readonly maxBytes: number;
}

/** Whether requests are late for want of their responses: then each is worth a write of its own. */
export interface Hurry {
  readonly type: typeof HURRY;
  readonly on: boolean;
}

export interface Ping {
  readonly type: typeof PING;
  readonly token: number;
}

export interface Pong {
  readonly type: typeof PONG;
  readonly token: number;
}

/** Counted since the intercept started (kernelDropped, frames) or since this instance came (the others). */
export interface Stats {
  readonly type: typeof STATS;
  readonly frames: number;
  readonly kernelDropped: number;
  /** Segments sent to this instance. */
  readonly forwarded: number;
  /** Segments for this instance that were dropped because it read too slowly. */
  readonly dropped: number;
}

export interface Bye {
  readonly type: typeof BYE;
  readonly text: string;
}

/** What `encode` takes: everything that is not packet data. */
export type ControlMessage =
  | Hello
  | Challenge
  | Proof
  | Welcome
  | Refused
  | Targets
  | LeaseRequest
  | LeaseGrant
  | Reclaim
  | WantPayload
  | Hurry
  | Ping
  | Pong
  | Stats
  | Bye
  | Probe
  | ProbeReport;

export type Message = ControlMessage | Responses;
