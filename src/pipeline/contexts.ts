/** The contexts of the core hooks. */
import { micros, type Duration } from '../core/time.ts';
import type { Piece } from '../protocol/codec.ts';
import { Context, type Dropped } from './context.ts';
import type { ConnectionRecord } from './connection-record.ts';
import type { Effects } from './effects.ts';
import { PluginMistake } from './error-policy.ts';
import type {
  ConnectionContext,
  ExchangeContext,
  PerCopy,
  PluginConnection,
  RequestContext,
  ResponseContext,
  StatsContext,
} from './hooks.ts';
import type { Figure } from './plugin-record.ts';
import type { Detachable, Effect, Revertible } from './protocol-hooks.ts';
import type { Running, Tap } from './tap.ts';
import { checkBytes, checkCopies, checkDelay, type CopyRule } from './verdicts.ts';

const MOST_FIGURES = 64;

/** What the pipeline decided about a connection. */
export interface ConnectionPlan {
  readonly dropped: Dropped | undefined;
  /** How many times it is sent; `undefined`: nobody said. */
  readonly copyCount: number | undefined;
}

/** What the pipeline decided about a message. */
export interface Plan extends ConnectionPlan {
  /** `undefined`: its copies are all alike. */
  readonly copyRule: CopyRule | undefined;
  /** To be held back this long. */
  readonly delayed: Duration;
  /** To be sent instead of the whole message. */
  readonly replacement: Uint8Array | undefined;
}

export class HostConnectionContext extends Context implements ConnectionContext<unknown>, ConnectionPlan {
  readonly connection: PluginConnection<unknown>;
  copyCount: number | undefined;
  #before: number | undefined;

  constructor(running: Running, connection: PluginConnection<unknown>) {
    super(running);
    this.connection = connection;
  }

  override get payload(): unknown {
    return this.connection;
  }

  copies(n: number): undefined {
    if (this.speaker('copies') !== undefined) this.copyCount = checkCopies(n);
    return undefined;
  }

  override checkpoint(): void {
    this.#before = this.copyCount;
  }

  override revert(): void {
    this.copyCount = this.#before;
  }
}

export class HostRequestContext extends Context implements RequestContext<unknown>, Plan {
  readonly connection: PluginConnection<unknown>;
  readonly protocol: string;
  readonly message: unknown;
  piece: Readonly<Piece>;
  delayed: Duration = micros(0);
  copyCount: number | undefined;
  copyRule: CopyRule | undefined;
  replacement: Uint8Array | undefined;
  readonly #effects: Effects;
  readonly #revertible: Revertible | undefined;
  // How things stood before the tap that is running.
  #mark: unknown;
  #detached = false;
  #delayedBefore: Duration = micros(0);
  #copiesBefore: number | undefined;
  #copyRuleBefore: CopyRule | undefined;
  #replacementBefore: Uint8Array | undefined;

  constructor(
    running: Running,
    connection: PluginConnection<unknown>,
    protocol: string,
    piece: Readonly<Piece>,
    message: unknown,
    effects: Effects,
    owner?: Tap,
  ) {
    super(running, owner);
    this.#effects = effects;
    this.connection = connection;
    this.protocol = protocol;
    this.piece = piece;
    this.message = message;
    this.#revertible = asRevertible(message);
  }

  override get payload(): unknown {
    return this.message;
  }

  get effect(): Effect {
    // Bytes that a tap put in its place are no message that anybody has read.
    return this.replacement === undefined ? this.#effects.of(this.protocol, this.message) : 'unknown';
  }

  dropConnection(reason: string): undefined {
    this.setDropped(reason, true);
    return undefined;
  }

  delay(ms: number): undefined {
    if (this.speaker('delay') !== undefined) this.delayed = micros(this.delayed + checkDelay(ms));
    return undefined;
  }

  copies(n: number, perCopy?: PerCopy): undefined {
    const tap = this.speaker('copies');
    if (tap === undefined) return undefined;
    if (perCopy !== undefined && typeof perCopy !== 'function') {
      throw new PluginMistake('how copies differ is told by a function');
    }
    this.copyCount = checkCopies(n);
    this.copyRule = perCopy && { tap, change: perCopy };
    return undefined;
  }

  replace(bytes: Uint8Array): undefined {
    if (this.speaker('replace') === undefined) return undefined;
    this.replacement = checkBytes(bytes);
    return undefined;
  }

  override checkpoint(): void {
    this.#delayedBefore = this.delayed;
    this.#copiesBefore = this.copyCount;
    this.#copyRuleBefore = this.copyRule;
    this.#replacementBefore = this.replacement;
    if (this.#revertible !== undefined) this.#mark = this.#revertible.checkpoint();
  }

  override revert(): void {
    this.delayed = this.#delayedBefore;
    this.copyCount = this.#copiesBefore;
    this.copyRule = this.#copyRuleBefore;
    this.replacement = this.#replacementBefore;
    this.#revertible?.revert(this.#mark);
  }

  /** Copies what belongs to the capture, so that it outlasts this call. */
  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    (this.message as Partial<Detachable> | undefined)?.detach?.();
    const { bytes, offset, length } = this.piece;
    this.piece = { ...this.piece, bytes: bytes.slice(offset, offset + length), offset: 0 };
  }

  /** The same context for one tap that takes its time: what it says counts only when it is `adopt`ed. */
  fork(tap: Tap, record: ConnectionRecord): HostRequestContext {
    const { protocol, piece, message, delayed, copyCount, copyRule, replacement } = this;
    const view = record.viewOf(tap.plugin);
    const fork = new HostRequestContext(this.running, view, protocol, piece, message, this.#effects, tap);
    fork.delayed = delayed;
    fork.copyCount = copyCount;
    fork.copyRule = copyRule;
    fork.replacement = replacement;
    return fork;
  }

  adopt(fork: HostRequestContext): void {
    this.dropped = fork.dropped;
    this.delayed = fork.delayed;
    this.copyCount = fork.copyCount;
    this.copyRule = fork.copyRule;
    this.replacement = fork.replacement;
  }
}

export class HostResponseContext extends Context implements ResponseContext<unknown> {
  readonly connection: PluginConnection<unknown>;
  readonly protocol: string;
  readonly origin: 'target' | 'online';
  readonly message: unknown;
  readonly #revertible: Revertible | undefined;
  #mark: unknown;

  constructor(
    running: Running,
    connection: PluginConnection<unknown>,
    protocol: string,
    origin: 'target' | 'online',
    message: unknown,
  ) {
    super(running);
    this.connection = connection;
    this.protocol = protocol;
    this.origin = origin;
    this.message = message;
    this.#revertible = asRevertible(message);
  }

  override get payload(): unknown {
    return this.message;
  }

  override checkpoint(): void {
    if (this.#revertible !== undefined) this.#mark = this.#revertible.checkpoint();
  }

  override revert(): void {
    this.#revertible?.revert(this.#mark);
  }
}

/** What there is to compare, as the engine has it. */
export type Exchange = Omit<ExchangeContext, 'connection' | 'protocol'>;

/** Observed only; but what a plugin that fails closed fails on, later taps do not see. */
export class ObservedContext extends Context {
  readonly #self: unknown;
  readonly #payload: unknown;
  readonly #closable: boolean;

  /** `self` is what core taps are given, and others second; `closable`: a failure may keep it from later taps. */
  constructor(running: Running, self: unknown, payload: unknown, closable: boolean) {
    super(running);
    this.#self = self;
    this.#payload = payload;
    this.#closable = closable;
  }

  override get self(): unknown {
    return this.#self;
  }

  override get payload(): unknown {
    return this.#payload;
  }

  override get canDrop(): boolean {
    return this.#closable;
  }

  override get takesVerdicts(): boolean {
    return false;
  }
}

/** Gathers the figures that plugins add, by plugin. */
export class StatsCollector extends Context implements StatsContext {
  readonly figures = new Map<string, Figure[]>();

  override get payload(): unknown {
    return this;
  }

  override get canDrop(): boolean {
    return false;
  }

  figure(name: string, value: number, unit?: string): undefined {
    const tap = this.speaker('figure');
    if (tap === undefined) return undefined;
    if (typeof name !== 'string' || name === '' || typeof value !== 'number' || !Number.isFinite(value)) {
      throw new PluginMistake('a figure has a name and a finite number');
    }
    const own = this.figures.get(tap.plugin.name) ?? [];
    if (own.length >= MOST_FIGURES) throw new PluginMistake(`a plugin has at most ${MOST_FIGURES} figures`);
    this.figures.set(tap.plugin.name, [...own, { name, value, unit }]);
    return undefined;
  }
}

function asRevertible(message: unknown): Revertible | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { checkpoint, revert } = message as Partial<Revertible>;
  return typeof checkpoint === 'function' && typeof revert === 'function' ? (message as Revertible) : undefined;
}
