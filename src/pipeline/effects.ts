/** What messages do to the service, as the plugins of their protocols say. */
import { PluginMistake } from './error-policy.ts';
import { describe } from './plugin.ts';
import { EFFECTS, type Effect } from './protocol-hooks.ts';
import type { ProvidedProtocol } from './registry.ts';
import type { TapRunner } from './tap-runner.ts';

export class Effects {
  readonly #protocols: ReadonlyMap<string, ProvidedProtocol>;
  readonly #runner: TapRunner;

  constructor(protocols: ReadonlyMap<string, ProvidedProtocol>, runner: TapRunner) {
    this.#protocols = protocols;
    this.#runner = runner;
  }

  /** `unknown`, too, when the protocol's plugin fails to say. */
  of(protocol: string, message: unknown): Effect {
    const provided = this.#protocols.get(protocol);
    const effect = provided?.definition.effect;
    if (provided === undefined || effect === undefined || message === undefined) return 'unknown';
    return (
      this.#runner.ask(provided.plugin, `${protocol}.effect`, () => checked(effect(message as never))) ?? 'unknown'
    );
  }
}

function checked(effect: unknown): Effect {
  if (EFFECTS.includes(effect as Effect)) return effect as Effect;
  throw new PluginMistake(`it returned ${describe(effect)}; effects are ${EFFECTS.join(', ')}`);
}
