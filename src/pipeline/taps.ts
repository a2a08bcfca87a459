/** The hooks as a plugin sees them: typed places to tap, and no way around the host. */
import type {
  HOOKS,
  AnyState,
  CoreHookName,
  Drop,
  ExchangeContext,
  HookPayloads,
  PluginConnection,
  RequestContext,
  ResponseContext,
} from './hooks.ts';
import type { Phase } from './phases.ts';
import type {
  EventHook,
  ExchangeHook,
  ProtocolDefinition,
  ProtocolEvents,
  ProtocolHooks,
  RequestHook,
  ResponseHook,
} from './protocol-hooks.ts';

export interface TapOptions {
  /** Unique on its hook; the plugin's name, or `name:part` where it taps a hook more than once. */
  readonly name: string;
  /** The plugin's phase, or the hook's, where none is given. */
  readonly phase?: Phase;
  /** Moves the tap up to stand directly before these, which must tap the same hook in the same phase or a later one. */
  readonly before?: string | readonly string[];
  /** Order inside the phase before the order given; default 0, lower first. */
  readonly stage?: number;
  /**
   * Of taps on responses and exchanges: sees what others have asked for, and asks for nothing itself. Without any tap
   * that asks, responses are not read.
   */
  readonly passive?: boolean;
}

export interface PromiseTapOptions extends TapOptions {
  /** How long the promise may take, in milliseconds; the run's limit where none is given. */
  readonly deadline?: number;
}

/** What a tap may return: nothing. `void` for functions without `return`, which TypeScript does not call undefined. */
type Nothing = undefined | void;

export interface TapPoint<Args extends readonly unknown[], Verdict = Nothing> {
  tap(options: string | TapOptions, fn: (...args: Args) => Verdict | Nothing): void;
}

export interface AsyncTapPoint<Args extends readonly unknown[], Verdict = Nothing> extends TapPoint<Args, Verdict> {
  /** What follows on the same connection waits, others do not. */
  tapPromise(options: string | PromiseTapOptions, fn: (...args: Args) => Promise<Verdict | Nothing>): void;
}

type Point<Row, Args extends readonly unknown[]> = Row extends { readonly async: true }
  ? AsyncTapPoint<Args, VerdictOf<Row>>
  : TapPoint<Args, VerdictOf<Row>>;
type VerdictOf<Row> = Row extends { readonly kind: 'observe' } ? Nothing : Drop;

export type CoreTaps<State> = {
  readonly [Name in CoreHookName]: Point<(typeof HOOKS)[Name], readonly [HookPayloads<State>[Name]]>;
};

/** The hooks of one protocol, as its plugin declared them in `ProtocolHooks`. */
export type ProtocolTaps<Declared, State> = {
  readonly [Name in keyof Declared]: Declared[Name] extends RequestHook<infer Message>
    ? AsyncTapPoint<readonly [Message, RequestContext<State>], Drop>
    : Declared[Name] extends ResponseHook<infer Message>
      ? TapPoint<readonly [Message, ResponseContext<State>], Drop>
      : Declared[Name] extends ExchangeHook<infer Request, infer Response>
        ? TapPoint<readonly [ExchangeContext<State, Request, Response>]>
        : Declared[Name] extends EventHook<infer Payload>
          ? TapPoint<readonly [Payload, PluginConnection<State>]>
          : never;
};

/** What a plugin's `apply` is given. */
export type PluginHooks<State = AnyState> = CoreTaps<State> & {
  readonly [Protocol in keyof ProtocolHooks]: ProtocolTaps<ProtocolHooks[Protocol], State>;
} & {
  /** Adds a protocol: its codec, and hooks that others may tap. Returns how to call those hooks the host does not. */
  provide<Protocol extends keyof ProtocolHooks & string>(
    protocol: Protocol,
    definition: ProtocolDefinition<ProtocolHooks[Protocol]>,
  ): ProtocolEvents<ProtocolHooks[Protocol]>;
  /** Calls back, before the run begins, when some plugin provides this protocol: for plugins that can do without it. */
  whenProvided<Protocol extends keyof ProtocolHooks & string>(
    protocol: Protocol,
    tap: (hooks: ProtocolTaps<ProtocolHooks[Protocol], State>) => void,
  ): void;
};
