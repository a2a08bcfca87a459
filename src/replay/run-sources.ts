/** The sources of a run, of one pass after the other: opened, watched until they end, closed, and what came of them. */
import type { PacketSource } from '../capture/packet-source.ts';
import { formatBytes } from '../report/format.ts';
import type { SourceFacts } from '../report/run-facts.ts';
import { passesAsOne } from '../report/run-report.ts';

export interface SourcesListener {
  /** A source may have frames. */
  ready(): void;
  /** One has broken. */
  failed(source: PacketSource, error: Error): void;
}

export class RunSources {
  readonly #listener: SourcesListener;
  #open: readonly PacketSource[] = [];
  /** Figures of those that are closed already (`-T`). */
  readonly #past: SourceFacts[] = [];

  constructor(listener: SourcesListener) {
    this.#listener = listener;
  }

  /** Those of the pass under way. */
  get open(): readonly PacketSource[] {
    return this.#open;
  }

  /** Opens the sources of a pass; the promise it gives settles when all of them have ended. */
  async begin(sources: readonly PacketSource[]): Promise<{ readonly allEnded: Promise<void> }> {
    let left = sources.length;
    let resolveAll!: () => void;
    const allEnded = new Promise<void>((resolve) => (resolveAll = resolve));
    this.#open = sources;
    for (const source of sources) {
      await source.open({
        ready: () => this.#listener.ready(),
        ended: (error) => {
          if (error !== undefined) this.#listener.failed(source, error);
          left--;
          if (left === 0) resolveAll();
        },
      });
    }
    return { allEnded };
  }

  /** They take no new frames, and end when what the kernel holds has been taken. */
  stop(): void {
    for (const source of this.#open) source.stop();
  }

  close(): void {
    for (const source of this.#open) {
      this.#past.push(factsOf(source));
      source.close();
    }
    this.#open = [];
  }

  /** Of all passes. */
  facts(): readonly SourceFacts[] {
    return passesAsOne([...this.#past, ...this.#open.map(factsOf)]);
  }

  /** One line for each closed source of which something could not be read. */
  damage(): string[] {
    return passesAsOne(this.#past).flatMap(({ name, unreadable }) => {
      const parts = unreadable.map(({ bytes, reason }) => (bytes > 0 ? `${formatBytes(bytes)}: ${reason}` : reason));
      return parts.length === 0 ? [] : [`${name}: not readable: ${parts.join('; ')}`];
    });
  }
}

function factsOf(source: PacketSource): SourceFacts {
  const { frames, kernelDropped, unreadable } = source.stats();
  return { name: source.name, frames, kernelDropped, unreadable };
}
