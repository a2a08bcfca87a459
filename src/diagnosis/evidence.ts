/**
 * What was found out about a copy's way: plain data, so that it can be judged without a network, printed as JSON and
 * written down in a test. Addresses are texts; who gathers it is `src/doctor`.
 */

/** The machine that a finding is about, or a command is for. */
export type HostRole = 'online' | 'test' | 'assistant';

export interface Evidence {
  readonly plan: Plan;
  readonly local: LocalEvidence;
  readonly intercepts: readonly InterceptEvidence[];
  readonly targets: readonly TargetEvidence[];
  readonly probes: readonly ProbeEvidence[];
}

/** What the command line says. */
export interface Plan {
  readonly targetKind: 'raw' | 'socket';
  /** `80`, `8000-8010`: ports that are copied here. */
  readonly onlinePorts: readonly string[];
  readonly targets: readonly { readonly address: string; readonly port: number }[];
  readonly intercepts: readonly { readonly host: string; readonly port: number }[];
  /** `-c`; empty: clients keep their addresses. */
  readonly clients: readonly ClientNetwork[];
  /** `-i`; empty: a recording. */
  readonly devices: readonly string[];
  readonly filter: string | undefined;
  readonly snapLength: number;
  readonly mtu: number;
}

export interface ClientNetwork {
  /** As a route names it: `10.9.8.0/24`, or one address with /32 or /128. */
  readonly network: string;
  readonly first: string;
}

export interface LocalEvidence {
  /** Why packets can be neither captured nor sent here; `undefined`: they can. */
  readonly permission: string | undefined;
  /** The devices of `-i` that cannot be used. */
  readonly missingDevices: readonly { readonly name: string; readonly why: 'missing' | 'down' }[];
  readonly knownDevices: readonly string[];
  readonly addresses: readonly string[];
  readonly sample: TrafficSample | undefined;
  /** Whether anything listens on an online port here; `undefined`: it cannot be told. */
  readonly listening: boolean | undefined;
  readonly loadAverage: number;
  readonly processors: number;
  /** Rules of this host's firewall that drop on output, as far as they can be read. */
  readonly outputDrops: readonly string[];
}

/** What the capture of the run showed for a moment. */
export interface TrafficSample {
  readonly seconds: number;
  /** Frames to the online ports on the devices of `-i` that pass `-F`. */
  readonly frames: number;
  /** The same without `-F`. */
  readonly unfiltered: number;
  /** Frames to the online ports on other devices. */
  readonly elsewhere: readonly { readonly device: string; readonly frames: number }[];
  /** Bytes of the largest frame. */
  readonly largest: number;
  readonly kernelDropped: number;
}

export interface TargetEvidence {
  readonly address: string;
  readonly port: number;
  /** An ordinary connection from this host: `connected`, `refused`, `timeout`, or the errno. */
  readonly connect: string;
  /** How this host reaches it: the kernel's route. */
  readonly route: { readonly device: string; readonly direct: boolean } | { readonly problem: string } | undefined;
  /** Nobody at this address answers ARP or neighbour solicitation. */
  readonly neighbourFailed: boolean;
}

export interface InterceptEvidence {
  readonly host: string;
  readonly port: number;
  /** Why there is no connection, or no lease. */
  readonly problem: { readonly code: string; readonly message: string } | undefined;
  /** What it calls itself. */
  readonly version: string;
  /** Why it cannot watch; empty: it does. */
  readonly watchProblem: string;
  readonly capturesOn: string;
  readonly filter: string;
  readonly devices: readonly {
    readonly name: string;
    readonly forwards4: boolean;
    readonly forwards6: boolean;
    readonly rpFilter: number;
    readonly addresses: readonly string[];
  }[];
  /** Segments of the targets to our source addresses, on ports that nobody has leased from it. */
  readonly foreign: number;
}

export type ProbeKind =
  /** From an address that sessions would have. */
  | 'client'
  /** From an address of the intercept's host, which the target answers by routes of its own. */
  | 'assistant'
  /** The first kind again, as large as packets may be. */
  | 'full-size';

export interface ProbeEvidence {
  readonly kind: ProbeKind;
  readonly source: string;
  readonly sourcePort: number;
  readonly target: string;
  readonly targetPort: number;
  /** Bytes of the packet. */
  readonly size: number;
  /** Errno of the send, if the kernel refused it. */
  readonly sendError: string | undefined;
  /** The device it was seen to leave by. */
  readonly leftBy: string | undefined;
  /** What came by the way of a copy's responses: through the intercept's own filter and the control channel. */
  readonly matched: 'syn-ack' | 'rst' | undefined;
  /** MSS option of the answer. */
  readonly mss: number | undefined;
  /** The segment that follows the answer: whether it was refused, lost on this host, or left. */
  readonly ack: 'not-sent' | 'left' | 'lost' | { readonly error: string };
  readonly seen: readonly Seen[];
}

export type SeenKind =
  | 'probe'
  | 'syn-ack'
  | 'rst-of-target'
  /** An answer to our port from another address than the target's, or another port of it. */
  | 'other-answer'
  /** A reset to the target in the probe's name, not sent by us. */
  | 'rst-of-client'
  | 'icmp'
  /** The target asks who has the probe's source address. */
  | 'arp';

/** One packet of a probe's as a watch saw it. */
export interface Seen {
  /** This host, or an intercept's: index into `Evidence.intercepts`. */
  readonly at: 'online' | number;
  readonly kind: SeenKind;
  readonly device: string;
  readonly outgoing: boolean;
  /** The intercept's own capture takes it. */
  readonly taken: boolean;
  /** Who sent it; of ICMP also type and code. */
  readonly reporter: string;
  readonly icmpType: number;
  readonly icmpCode: number;
}
