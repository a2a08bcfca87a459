/**
 * What a copy run is told to do, after parsing and checking: no strings left to interpret. Made from the command line
 * by `src/config/` and read by `src/replay/`.
 */
import type { Endpoint, IpAddress } from '../core/ip-address.ts';
import type { Duration } from '../core/time.ts';
import type { PluginErrorPolicy } from './plugin-error-policy.ts';
import type { PluginSpec } from './plugin-spec.ts';

/** Traffic that is looked at: a server's endpoints. */
export interface Selected {
  /** `undefined` address: any address of the online host. */
  readonly online: { readonly address: IpAddress | undefined; readonly portFirst: number; readonly portLast: number };
  /** Without one it goes nowhere. A range of online ports maps onto target ports counted from `port`. */
  readonly target?: Endpoint;
}

/** One `-x` entry: traffic to this online endpoint is copied to that target. */
export interface Mapping extends Selected {
  readonly target: Endpoint;
}

/** Source addresses for sessions: a single address is a range of one. */
export interface AddressRange {
  readonly first: IpAddress;
  /** How many consecutive addresses. */
  readonly count: number;
}

export interface InterceptAddress {
  readonly host: string;
  readonly port: number;
}

/** How tcpcopy knows its intercepts: certificates in PEM form, `undefined` for those that Node trusts. */
export interface ControlTrust {
  readonly ca: string | undefined;
}

/** How an intercept shows who it is; both in PEM form. */
export interface ControlIdentity {
  readonly certificate: string;
  readonly key: string;
}

export type Pace = 'response' | 'capture' | 'asap';
/** Whose trouble leads to connections being left out: this host's and the target's, this host's, nobody's. */
export type Shed = 'all' | 'host' | 'never';
export type TargetKind = 'raw' | 'socket';
export type IoBackend = 'auto' | 'ring' | 'pcap';

export interface CopyOptions {
  readonly mappings: readonly Mapping[];
  /** Device names (`any` allowed), or one recording. */
  readonly input: { readonly devices: readonly string[] } | { readonly file: string };
  readonly io: IoBackend;
  readonly target: TargetKind;
  /** In the order they run; not loaded yet. */
  readonly plugins: readonly PluginSpec[];
  readonly onPluginError: PluginErrorPolicy;
  readonly intercepts: readonly InterceptAddress[];
  /** Control connections per intercept, 1–16. */
  readonly controlConnections: number;
  /** Pre-shared key of the control channel. */
  readonly controlKey: string | undefined;
  /** `undefined`: the control channel is not encrypted. */
  readonly controlTls: ControlTrust | undefined;
  /** Empty: keep the original client's address. */
  readonly clientAddresses: readonly AddressRange[];
  /** Extra capture filter in pcap-filter syntax, and-ed with what `-x` implies; replaces it when `filterOnly`. */
  readonly filter: string | undefined;
  readonly copies: number;
  /** Processes that share the connections; 1: this one alone. */
  readonly workers: number;
  /** Kernel capture buffer, bytes; `undefined`: as the backend chooses. */
  readonly captureBuffer: number | undefined;
  readonly snapLength: number;
  readonly pace: Pace;
  /** Offline: recorded time is divided by this. */
  readonly acceleration: number;
  /** Offline: gaps between packets longer than this are cut down to it. */
  readonly maxGap: Duration | undefined;
  /** Offline: how many times the recording is replayed, one pass after the other. */
  readonly repeat: number;
  /** Only connections whose SYN was seen. */
  readonly onlyFromSyn: boolean;
  /** Stay and keep retrying when every intercept is gone (`-L`); the alternative is to exit 1 after a bounded wait. */
  readonly stayWithoutIntercept: boolean;
  /** Session memory cap, bytes. */
  readonly memoryLimit: number;
  readonly maxSessions: number;
  /** Own CPU time beyond which connections are left out, where 1 is one processor. */
  readonly maxCpu: number | undefined;
  /** Busy share of the host's processors beyond which they are, 0 to 1. */
  readonly maxHostCpu: number | undefined;
  readonly shed: Shed;
  readonly mtu: number;
  /** Largest segment payload sent, before the target's own MSS is applied. */
  readonly mss: number;
  /** A session with nothing to do for this long is closed. */
  readonly sessionTimeout: Duration;
  /** The same for one kept alive: idle but open online. */
  readonly keepaliveTimeout: Duration;
  /** List the requests instead of sending them. */
  readonly dryRun: boolean;
  /** Write what would be sent to this pcap file instead of sending it. */
  readonly writeFile: string | undefined;
  readonly summaryJson: string | undefined;
  /** Percent of units that must be replayed for exit code 0; `undefined`: not checked. */
  readonly minFidelity: number | undefined;
  readonly seed: number | undefined;
  /** Between periodic lines where there is no terminal; 0: none. */
  readonly summaryInterval: Duration;
  readonly process: ProcessOptions;
}

/** Where a program tells of itself over HTTP. */
export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

/** What a recording run is told: the same, without a target. */
export interface RecordOptions extends Omit<CopyOptions, 'mappings' | 'target'> {
  readonly mappings: readonly Selected[];
  readonly target: 'recording';
  readonly recording: RecordingOptions;
}

export interface RecordingOptions {
  /** With a limit each file gets a number and its time. */
  readonly path: string;
  /** Bytes in one file, as on disk. */
  readonly maxSize: number | undefined;
  /** Time in one file. */
  readonly maxAge: Duration | undefined;
  /** How many files are kept. */
  readonly keep: number | undefined;
}

/** What both programs share: logs, pid file, daemon. */
/** A user to be. */
export interface RunAs {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface ProcessOptions {
  readonly logFile: string | undefined;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug' | 'trace';
  /** `auto`: text for a terminal, else JSON. */
  readonly logFormat: 'auto' | 'text' | 'json';
  readonly pidFile: string | undefined;
  readonly daemon: boolean;
  /**
   * How it gives way to other programs: a nice value; `polite`: they go first when they wake up, and it keeps its share; `idle`:
   * only what they leave over; `none`: as it was started.
   */
  readonly nice: number | 'polite' | 'idle' | 'none';
  /** Whom to be once everything is open. */
  readonly user: RunAs | undefined;
  /** Show the run on the whole screen, where there is a terminal. */
  readonly ui: boolean;
  /** Where the program tells of itself over HTTP; `undefined`: nowhere. */
  readonly metrics: MetricsAddress | undefined;
  /** Show stack traces. */
  readonly debug: boolean;
}

export interface InterceptOptions {
  /** Look at this host instead of working; `apply`: and mend what can be. */
  readonly check: { readonly apply: boolean; readonly json: boolean } | undefined;
  /** Device names, `any` allowed. */
  readonly devices: readonly string[];
  readonly io: IoBackend;
  /** Extra capture filter, and-ed with what the peers' targets imply. */
  readonly filter: string | undefined;
  readonly bind: string;
  readonly port: number;
  readonly controlKey: string | undefined;
  /** `undefined`: the control channel is not encrypted. */
  readonly controlTls: ControlIdentity | undefined;
  readonly captureBuffer: number | undefined;
  readonly snapLength: number;
  readonly summaryJson: string | undefined;
  readonly process: ProcessOptions;
}
