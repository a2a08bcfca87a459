/**
 * The hook table: every moment at which a plugin may look at, change or stop what is copied. `docs/plugins/hooks.md` is
 * made from it, and the types plugins see follow from it.
 */
import type { Endpoint } from '../core/ip-address.ts';
import type { Duration } from '../core/time.ts';
import type { Piece } from '../protocol/codec.ts';
import type { Phase } from './phases.ts';
import type { Effect } from './protocol-hooks.ts';

/** What a tap on a hook may do, and what is told about it. */
export interface HookRow {
  /**
   * `bail`: a verdict to drop ends it, later taps are not asked. `waterfall`: likewise, and what a tap changes is what
   * the next one sees. `observe`: everybody hears.
   */
  readonly kind: 'bail' | 'waterfall' | 'observe';
  /** Whether `tapPromise` is there too. */
  readonly async: boolean;
  /** What a tap is given, by the name of its type. */
  readonly payload: string;
  readonly moment: string;
  readonly verdicts: string;
  /** What returning nothing means. */
  readonly nothing: string;
  /** What becomes of the matter when a tap fails and the message must not pass (`drop`, or a plugin that fails closed). */
  readonly failure: string;
  /** The phase of a tap that names none, of a plugin that names none. */
  readonly phase: Phase;
}

export const HOOKS = {
  connection: {
    kind: 'bail',
    async: false,
    payload: 'ConnectionContext',
    moment: 'Once per captured connection, before anything of it is sent.',
    verdicts: '`drop(reason)`, `copies(n)`',
    nothing: 'The connection is copied.',
    failure: 'The connection is not copied.',
    phase: 'filter',
  },
  request: {
    kind: 'waterfall',
    async: true,
    payload: 'RequestContext',
    moment:
      "Once per message of the client's, at its first piece, before it is sent. Taps on the request hook of the " +
      "message's protocol run in the same order as these.",
    verdicts: '`drop(reason)`, `dropConnection(reason)`, `delay(ms)`, `copies(n, perCopy?)`, `replace(bytes)`',
    nothing: 'The message goes on as it is.',
    failure: 'The message is not sent.',
    phase: 'rewrite',
  },
  response: {
    kind: 'waterfall',
    async: false,
    payload: 'ResponseContext',
    moment:
      "Once per message of a server's that the protocol's plugin reads: of the target's, and of the online server's where " +
      'that is captured, because `exchange` is tapped too or the protocol needs it. Protocols that nobody reads are not shown.',
    verdicts: '`drop(reason)`: later taps do not see it',
    nothing: 'Later taps see the response as it is.',
    failure: 'Later taps do not see the response.',
    phase: 'observe',
  },
  exchange: {
    kind: 'observe',
    async: false,
    payload: 'ExchangeContext',
    moment:
      'Once per copy of a request that was to be sent, when the responses of both servers have arrived, or will not. Of the ' +
      'same protocols as `response`. A tap has both directions of the traffic captured.',
    verdicts: 'none',
    nothing: 'As always.',
    failure: 'Later taps do not see the exchange.',
    phase: 'observe',
  },
  session: {
    kind: 'observe',
    async: false,
    payload: 'PluginConnection',
    moment: 'When a copied connection has ended, with all its sessions. Its `state` is given up afterwards.',
    verdicts: 'none',
    nothing: 'As always.',
    failure: 'Nothing more.',
    phase: 'observe',
  },
  stats: {
    kind: 'observe',
    async: false,
    payload: 'StatsContext',
    moment: 'Whenever figures are printed or exported.',
    verdicts: '`figure(name, value, unit?)` adds one',
    nothing: 'The plugin has no figures of its own.',
    failure: 'Nothing more.',
    phase: 'observe',
  },
  shutdown: {
    kind: 'observe',
    async: true,
    payload: 'ShutdownContext',
    moment: 'Once, when the run ends, before the summary: flush and close what you opened.',
    verdicts: 'none',
    nothing: 'As always.',
    failure: 'Nothing more.',
    phase: 'observe',
  },
} as const satisfies Readonly<Record<string, HookRow>>;

export type CoreHookName = keyof typeof HOOKS;

/** The payload of each hook; `State` is the plugin's own, per connection. */
export interface HookPayloads<State> {
  readonly connection: ConnectionContext<State>;
  readonly request: RequestContext<State>;
  readonly response: ResponseContext<State>;
  readonly exchange: ExchangeContext<State>;
  readonly session: PluginConnection<State>;
  readonly stats: StatsContext;
  readonly shutdown: ShutdownContext;
}

/** State of a plugin that declares none: whatever it puts there. */
export type AnyState = Record<string, unknown>;

/** A captured connection. */
export interface ConnectionInfo {
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** Whether its SYN was seen, or it was already open when copying began. */
  readonly openedBy: 'syn' | 'midstream';
}

/** A captured connection, as one plugin sees it. The object lives as long as the connection. */
export interface PluginConnection<State = AnyState> extends ConnectionInfo {
  /** What this plugin remembers of this connection; made when first asked for, and to be read during a tap only. */
  readonly state: State;
}

/**
 * How copy `copy` (1 to n − 1; the first, 0, is as the taps left it) of a message differs; nothing: not at all. Called
 * when the message is sent, behind all taps, and not where some tap has replaced the message.
 */
export type PerCopy = (copy: number) => CopyChange | undefined;

export interface CopyChange {
  /**
   * Sent in place of what a tap was shown of the message: all of it where the codec holds it whole, else its beginning, as
   * the head of an HTTP request whose body streams past.
   */
  readonly bytes?: Uint8Array | undefined;
  /** It is held back this much longer, in milliseconds, and what follows in its copy of the connection with it. */
  readonly delay?: number | undefined;
}

/** A verdict by return value: the same as `drop(reason)`. */
export interface Drop {
  readonly drop: string;
}

export interface ConnectionContext<State = AnyState> {
  readonly connection: PluginConnection<State>;
  /** Nothing of it is copied. `reason`: a few constant words, counted and printed. */
  drop(reason: string): undefined;
  /** It is sent this many times, 1 to 1023; the last word counts. */
  copies(n: number): undefined;
}

export interface RequestContext<State = AnyState> {
  readonly connection: PluginConnection<State>;
  /** Of the codec that read it: `opaque` where none does. */
  readonly protocol: string;
  /** The first captured bytes of the message; valid during the tap, and until its promise settles. */
  readonly piece: Readonly<Piece>;
  /** What the protocol's codec made of it; `undefined` for opaque bytes. Typed on the protocol's own hooks. */
  readonly message: unknown;
  /** What the message, as it stands now, does to the service; `unknown` for bytes that no protocol plugin reads. */
  readonly effect: Effect;
  /** It is not sent. `reason`: a few constant words, counted and printed. */
  drop(reason: string): undefined;
  /** Neither it nor anything after it on this connection is sent. */
  dropConnection(reason: string): undefined;
  /** It is held back this long, in milliseconds, and what follows on its connection with it; delays add up. */
  delay(ms: number): undefined;
  /** It is sent this many times, 1 to 1023, and its copies differ as `perCopy` says; the last word counts. */
  copies(n: number, perCopy?: PerCopy): undefined;
  /** These bytes are sent instead of the whole message; do not change them afterwards. */
  replace(bytes: Uint8Array): undefined;
}

export interface ResponseContext<State = AnyState> {
  readonly connection: PluginConnection<State>;
  readonly protocol: string;
  /** Whose response it is. */
  readonly origin: 'target' | 'online';
  /** What the codec made of it; typed on the protocol's own hooks. */
  readonly message: unknown;
  /** Later taps do not see it. */
  drop(reason: string): undefined;
}

export interface ExchangeContext<State = AnyState, Request = unknown, Response = unknown> {
  readonly connection: PluginConnection<State>;
  readonly protocol: string;
  readonly request: Request;
  /** `undefined` where none came or none is captured; likewise the times from request to response. */
  readonly target: Response | undefined;
  readonly targetTime: Duration | undefined;
  readonly online: Response | undefined;
  readonly onlineTime: Duration | undefined;
}

export interface StatsContext {
  /** A figure for the summary and the metrics, under the plugin's name. */
  figure(name: string, value: number, unit?: string): undefined;
}

/** Nothing is to be told about the end. */
export type ShutdownContext = Readonly<Record<never, never>>;
