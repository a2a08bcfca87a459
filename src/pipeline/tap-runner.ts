/**
 * Calls taps. Nobody else does: around every call stand the clock, the name of who is running, and the fence against what
 * it throws.
 */
import { addTime, elapsed, instant, millis, NEVER, seconds, type Duration, type Instant } from '../core/time.ts';
import type { ConnectionRecord } from './connection-record.ts';
import type { Containment } from './containment.ts';
import type { Context } from './context.ts';
import { HostRequestContext } from './contexts.ts';
import { PluginMistake, type FailureKind } from './error-policy.ts';
import { describe } from './plugin.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { ConnectionInfo } from './hooks.ts';
import type { Serializable } from './protocol-hooks.ts';
import type { Running, Tap } from './tap.ts';
import { checkCopyChange, type CheckedCopyChange, type CopyRule } from './verdicts.ts';

/** Every 64th call of a tap is timed; every one while somebody is looked for who holds everything up. */
const SAMPLE_MASK = 63;
/** A tap that does not return for as long as this is named. */
const HOLDS_UP = millis(100);
const SEARCH = seconds(10);

/** The host's time. */
export interface HostClock {
  now(): Instant;
  /** Calls `fn` after a while; returns how to take that back. */
  after(delay: Duration, fn: () => void): () => void;
}

/** `connection`: whose message it is. `after` differs from `before`. */
export type TapTrace = (connection: ConnectionInfo, plugin: string, before: Uint8Array, after: Uint8Array) => void;

export class TapRunner {
  readonly running: Running = { tap: undefined };
  readonly #clock: HostClock;
  readonly #containment: Containment;
  readonly #deadline: Duration;
  readonly #trace: TapTrace | undefined;
  #searching = false;
  #searchUntil: Instant = NEVER;

  constructor(clock: HostClock, containment: Containment, deadline: Duration, trace?: TapTrace) {
    this.#clock = clock;
    this.#containment = containment;
    this.#deadline = deadline;
    this.#trace = trace;
  }

  /** Something holds everything up: for a while every tap is timed. */
  search(): void {
    this.#searching = true;
    this.#searchUntil = addTime(this.#clock.now(), SEARCH);
  }

  /** Calls a synchronous tap; returns whether later taps are to be left out. */
  call(tap: Tap, context: Context): boolean {
    const { plugin } = tap;
    if (hasNoMessage(tap, context)) return false;
    if (plugin.disabled) return this.#skip(tap, context);
    const { running } = this;
    const caller = running.tap;
    const before = this.#trace && bytesOf(context);
    const timed = (tap.calls++ & SAMPLE_MASK) === 0 || this.#searching;
    const begun = timed ? this.#clock.now() : instant(0);
    running.tap = tap;
    try {
      context.checkpoint();
      const returned = tap.ofProtocol ? tap.fn(context.payload, context.self) : tap.fn(context.self);
      if (returned !== undefined) this.#takeVerdict(tap, context, returned);
    } catch (error) {
      this.#failed(tap, context, kindOf(error), error);
    } finally {
      running.tap = caller;
      if (timed) this.#heldUp(tap, this.#took(tap, begun));
    }
    if (before !== undefined) this.#tellChange(tap, context, before);
    return context.canDrop && context.dropped !== undefined;
  }

  /**
   * Calls a tap that returns a promise, and `done` when it has settled or its time is over. `record` is the connection of
   * a request; what the tap says is kept apart until it has ended well.
   */
  callPromise(tap: Tap, context: Context, record: ConnectionRecord | undefined, done: (stop: boolean) => void): void {
    const { plugin } = tap;
    if (hasNoMessage(tap, context)) {
      done(false);
      return;
    }
    if (plugin.disabled) {
      done(this.#skip(tap, context));
      return;
    }
    const timed = (tap.calls++ & SAMPLE_MASK) === 0 || this.#searching;
    const begun = timed ? this.#clock.now() : instant(0);
    const before = this.#trace && bytesOf(context);
    const own = this.#ownContext(tap, context, record);
    let over = false;
    const end = (kind: FailureKind | undefined, error?: unknown): void => {
      if (over) return;
      over = true;
      cancel();
      if (own !== context) own.close();
      if (timed) this.#took(tap, begun);
      if (kind !== undefined) this.#failed(tap, context, kind, error);
      else if (own instanceof HostRequestContext && own !== context) (context as HostRequestContext).adopt(own);
      if (before !== undefined) this.#tellChange(tap, context, before);
      done(context.canDrop && context.dropped !== undefined);
    };
    let cancel = (): void => undefined;
    const promise = this.#start(tap, own, end);
    if (timed) this.#heldUp(tap, elapsed(this.#clock.now(), begun));
    if (promise === undefined) return;
    const deadline = tap.deadline === undefined ? this.#deadline : millis(tap.deadline);
    cancel = this.#clock.after(deadline, () => end('timed-out'));
    promise.then(
      (returned) => {
        try {
          if (returned !== undefined && !over) this.#takeVerdict(tap, own, returned, tap);
        } catch (error) {
          end(kindOf(error), error);
          return;
        }
        end(undefined);
      },
      (error: unknown) => end(kindOf(error), error),
    );
  }

  /** Asks how one copy of a message differs; where that fails, what becomes of the copy. */
  changeOf({ tap, change }: CopyRule, copy: number): CheckedCopyChange | 'drop' | 'drop-connection' | undefined {
    const { plugin } = tap;
    if (plugin.disabled) return plugin.failClosed ? 'drop' : undefined;
    const { running } = this;
    const caller = running.tap;
    running.tap = tap;
    try {
      return checkCopyChange(change(copy));
    } catch (error) {
      const consequence = this.#containment.failed(tap, kindOf(error), error);
      return consequence === 'pass' ? undefined : consequence;
    } finally {
      running.tap = caller;
    }
  }

  /** Calls a function of a plugin's that is no tap; `undefined` when it fails. `what`: as in "failed on …". */
  ask<T>(plugin: PluginRecord, what: string, fn: () => T): T | undefined {
    try {
      return fn();
    } catch (error) {
      this.#containment.failed({ plugin, hook: what, name: plugin.name }, kindOf(error), error);
      return undefined;
    }
  }

  /** A plugin is to blame for an error that nobody has caught. */
  stray(plugin: PluginRecord, error: unknown): void {
    this.#containment.failed({ plugin, hook: 'something outside its taps', name: plugin.name }, 'threw', error);
  }

  /** What an asynchronous tap on a request is given: bytes that outlast this turn, and verdicts of its own. */
  #ownContext(tap: Tap, context: Context, record: ConnectionRecord | undefined): Context {
    if (!(context instanceof HostRequestContext) || record === undefined) return context;
    context.detach();
    context.checkpoint();
    return context.fork(tap, record);
  }

  /** The synchronous part of an asynchronous tap; `undefined` when that was already the end of it. */
  #start(
    tap: Tap,
    context: Context,
    end: (kind: FailureKind, error: unknown) => void,
  ): PromiseLike<unknown> | undefined {
    const { running } = this;
    const caller = running.tap;
    running.tap = tap;
    try {
      const returned = tap.ofProtocol ? tap.fn(context.payload, context.self) : tap.fn(context.self);
      if (isThenable(returned)) return returned;
      end('nonsense', new PluginMistake('a function given to tapPromise returns a promise'));
    } catch (error) {
      end(kindOf(error), error);
    } finally {
      running.tap = caller;
    }
    return undefined;
  }

  /** What a tap returned: nothing, or `{ drop: reason }` where there is something to drop. */
  #takeVerdict(tap: Tap, context: Context, returned: unknown, speaker?: Tap): void {
    if (isThenable(returned)) {
      // Its failure is this tap's, which has failed already.
      returned.then(undefined, () => undefined);
      throw new PluginMistake('it returned a promise; asynchronous taps are made with tapPromise');
    }
    const reason = (returned as { readonly drop?: unknown } | null)?.drop;
    if (typeof reason !== 'string' || !context.takesVerdicts) {
      const verdict = context.takesVerdicts ? ", or { drop: 'reason' }" : '';
      throw new PluginMistake(`it returned ${describe(returned)}; a tap returns nothing${verdict}`);
    }
    const { running } = this;
    const caller = running.tap;
    running.tap = speaker ?? tap;
    try {
      context.drop(reason);
    } finally {
      running.tap = caller;
    }
  }

  #tellChange(tap: Tap, context: Context, before: Uint8Array): void {
    if (!(context instanceof HostRequestContext) || context.dropped !== undefined) return;
    const after = bytesOf(context)!;
    if (Buffer.compare(before, after) !== 0) this.#trace!(context.connection, tap.plugin.name, before, after);
  }

  #failed(tap: Tap, context: Context, kind: FailureKind, error: unknown): void {
    try {
      context.revert();
    } catch {
      // The codec's message cannot be brought back: it is not safe to send.
      context.failed(tap.plugin, false);
    }
    const consequence = this.#containment.failed(tap, kind, error);
    if (consequence !== 'pass') context.failed(tap.plugin, consequence === 'drop-connection');
  }

  #heldUp(tap: Tap, time: Duration): void {
    if (time >= HOLDS_UP) this.#containment.heldUp(tap, time);
  }

  #took({ timing }: Tap, begun: Instant): Duration {
    const now = this.#clock.now();
    if (now >= this.#searchUntil) this.#searching = false;
    const time = elapsed(now, begun);
    timing.samples++;
    timing.sum += time;
    if (time > timing.max) timing.max = time;
    return time;
  }

  /** A disabled plugin is left out; but one that fails closed lets nothing pass that it has not seen. */
  #skip(tap: Tap, context: Context): boolean {
    if (tap.plugin.failClosed) context.failed(tap.plugin, false);
    return context.canDrop && context.dropped !== undefined;
  }
}

/** A request as it would be sent now, in bytes of its own; `undefined` for anything else. */
function bytesOf(context: Context): Uint8Array | undefined {
  if (!(context instanceof HostRequestContext)) return undefined;
  const { replacement, message, piece } = context;
  const { serialize } = (message ?? {}) as Partial<Serializable>;
  // Not `slice`: a Buffer's is a view.
  if (replacement !== undefined) return new Uint8Array(replacement);
  if (typeof serialize === 'function') return new Uint8Array(serialize.call(message));
  return new Uint8Array(piece.bytes.subarray(piece.offset, piece.offset + piece.length));
}

function kindOf(error: unknown): FailureKind {
  return error instanceof PluginMistake ? 'nonsense' : 'threw';
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Bytes of a connection of the protocol's that are no message: nothing for the protocol's own hook. */
function hasNoMessage(tap: Tap, context: Context): boolean {
  return tap.ofProtocol && context instanceof HostRequestContext && context.message === undefined;
}
