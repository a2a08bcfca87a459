/**
 * What the host hands to taps, one object per call of a hook. A context collects verdicts, knows whether later taps are to
 * be asked, and closes when the hook is over: what is said to it afterwards has no effect.
 */
import type { PluginRecord } from './plugin-record.ts';
import { PluginMistake } from './error-policy.ts';
import type { Running, Tap } from './tap.ts';

const LONGEST_REASON = 80;

/** A verdict to drop. */
export interface Dropped {
  /** `sampled-out` by a tap of the sample phase, `filtered` by any other, `plugin-error` by a failure. */
  readonly cause: 'filtered' | 'sampled-out' | 'plugin-error';
  readonly reason: string;
  /** The plugin's name. */
  readonly plugin: string;
  /** The rest of the connection goes too. */
  readonly connection: boolean;
}

export abstract class Context {
  dropped: Dropped | undefined;
  protected readonly running: Running;
  /** Set on the context of a tap that may run on while others are called. */
  readonly #owner: Tap | undefined;
  #open = true;

  constructor(running: Running, owner?: Tap) {
    this.running = running;
    this.#owner = owner;
  }

  /** What a tap on a core hook is given, and a tap on a protocol's hook second. */
  get self(): unknown {
    return this;
  }

  /** What a tap on a protocol's hook is given. */
  abstract get payload(): unknown;

  /** Whether a drop stops later taps. */
  get canDrop(): boolean {
    return true;
  }

  /** Whether taps may give that verdict themselves. */
  get takesVerdicts(): boolean {
    return this.canDrop;
  }

  drop(reason: string): undefined {
    this.setDropped(reason, false);
    return undefined;
  }

  /** A tap failed, and the matter is not to go on. */
  failed(plugin: PluginRecord, connection: boolean): void {
    if (!this.canDrop || this.dropped !== undefined) return;
    this.dropped = { cause: 'plugin-error', reason: 'failed', plugin: plugin.name, connection };
    plugin.countDrop('failed');
  }

  close(): void {
    this.#open = false;
  }

  /** Remembers how things stand before a tap; `revert` goes back there, but for a drop, which is final. */
  checkpoint(): void {}
  revert(): void {}

  protected setDropped(reason: unknown, connection: boolean): void {
    const tap = this.speaker('drop');
    if (tap === undefined || this.dropped !== undefined) return;
    if (typeof reason !== 'string' || reason === '' || reason.length > LONGEST_REASON) {
      throw new PluginMistake(`a reason to drop is a text of 1 to ${LONGEST_REASON} characters`);
    }
    const cause = tap.phase === 'sample' ? 'sampled-out' : 'filtered';
    this.dropped = { cause, reason, plugin: tap.plugin.name, connection };
    tap.plugin.countDrop(reason);
  }

  /** The tap that speaks; `undefined` when it is too late, or nobody's turn: then what is said has no effect. */
  protected speaker(_verdict: string): Tap | undefined {
    return this.#open ? (this.#owner ?? this.running.tap) : undefined;
  }
}
