/** What the live line and the summary tell beside the ledger. The runner takes it afresh each time it is wanted. */
import type { Duration } from '../core/time.ts';
import type { ShedReason } from './ledger.ts';

export interface RunFacts {
  /** Since capturing began. */
  readonly elapsed: Duration;
  /** Whether traffic is live; otherwise a recording. */
  readonly live: boolean;
  /** What is copied where, one text for each mapping: `80 → 192.0.2.10:8080`. */
  readonly mappings: readonly string[];
  /** How many times each connection is sent (`-n`); the ledger counts requests of every copy. */
  readonly copies: number;
  /** Set when packets are written there instead of being sent. */
  readonly writeFile: string | undefined;
  /** Whether requests are listed instead of being sent. */
  readonly dryRun: boolean;
  /** Set when there is no target and all goes into files. */
  readonly recording: RecordingFacts | undefined;
  /** What ended the run, once it has ended. */
  readonly endedBy: RunEnd | undefined;
  readonly sources: readonly SourceFacts[];
  readonly connectionsOpen: number;
  readonly sessionsOpen: number;
  /** `undefined`: nothing is ever left out for the sake of this host or the target. */
  readonly governor: GovernorFacts | undefined;
  /** Empty where none is used. */
  readonly intercepts: readonly InterceptFacts[];
  /** From a request's last captured frame to its being sent; `undefined` where it cannot be told. */
  readonly lag: Quantiles | undefined;
  /** Time to the whole response, where responses are read: of the target, and of the online server. */
  readonly responseTimes: { readonly target: Quantiles | undefined; readonly online: Quantiles | undefined };
  /** What was given to the kernel to send; `undefined` for ordinary sockets. */
  readonly sent: SentFacts | undefined;
  /** In the order they were given; empty where there are none. */
  readonly plugins: readonly PluginFacts[];
  /** CPU time of this process, user and system. */
  readonly cpu: Duration;
  /** How long it waited for a processor, of several processes the one that did most; `undefined`: not known. */
  readonly cpuWait: Duration | undefined;
  /** Resident memory, bytes. */
  readonly rss: number;
}

/** Median, and what 99 of 100 stay below. */
export interface Quantiles {
  readonly p50: Duration;
  readonly p99: Duration;
}

export interface PluginFacts {
  readonly name: string;
  /** How often it was called. */
  readonly calls: number;
  /** What it dropped, by its reasons. */
  readonly drops: Readonly<Record<string, number>>;
  /** How often it threw, answered nonsense or took too long. */
  readonly failures: number;
  /** Not called any more, because it kept failing. */
  readonly disabled: boolean;
  /** A call takes this long, from a sample; `undefined`: never called. */
  readonly mean: Duration | undefined;
  /** An answer that it takes its time for comes after so long, likewise. */
  readonly meanWait: Duration | undefined;
  /** How often it was seen to hold everything up, and for how long at most. */
  readonly heldUp: { readonly times: number; readonly longest: Duration };
  /** Figures of its own. */
  readonly figures: readonly { readonly name: string; readonly value: number; readonly unit: string | undefined }[];
}

export interface RecordingFacts {
  /** Frames as captured; otherwise what plugins made of the requests. */
  readonly asCaptured: boolean;
  /** Paths of the files that are there, oldest first. */
  readonly files: readonly string[];
  /** Files that made room for later ones. */
  readonly removed: number;
  readonly packets: number;
  /** On disk, in the files that were removed too. */
  readonly bytes: number;
  /** Packets that could not be written. */
  readonly failed: number;
}

/** `stopped`: by a signal. `input-ended`: the recording was read to its end. */
export type RunEnd = 'stopped' | 'input-ended' | 'failed';

export interface SourceFacts {
  readonly name: string;
  readonly frames: number;
  /** `undefined` when the backend cannot tell. */
  readonly kernelDropped: number | undefined;
  readonly unreadable: readonly { readonly bytes: number; readonly reason: string }[];
}

export interface InterceptFacts {
  /** `host:port` */
  readonly address: string;
  readonly connected: boolean;
  /** When it was away, counted from the start; without `to` it still is. */
  readonly outages: readonly { readonly from: Duration; readonly to: Duration | undefined }[];
}

/** What is left out for the sake of this host or the target. */
export interface GovernorFacts {
  /** Share of the connections that is copied now, 0 to 1. */
  readonly share: number;
  /** Why it is less than 1; `undefined`: it is not. */
  readonly reason: ShedReason | undefined;
  /** Why it ever was, the reason that it was longest for first. */
  readonly reasons: readonly ShedReason[];
  /** How often it has been, and for how long in all. */
  readonly spells: number;
  readonly time: Duration;
}

export interface SentFacts {
  readonly packets: number;
  readonly bytes: number;
  /** Packets the kernel refused, by errno name. */
  readonly failed: Readonly<Record<string, number>>;
}
