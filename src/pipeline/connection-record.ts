/**
 * A connection as plugins see it, and what each of them remembers of it. One record serves all plugins: `state` is that
 * of the plugin whose tap is running. Taps that run on while others may be called get a view of their own.
 */
import type { Endpoint } from '../core/ip-address.ts';
import type { ConnectionInfo, PluginConnection } from './hooks.ts';
import type { PluginRecord } from './plugin-record.ts';
import { PluginMistake } from './error-policy.ts';
import type { Running } from './tap.ts';

export class ConnectionRecord implements PluginConnection<unknown> {
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly openedBy: ConnectionInfo['openedBy'];
  readonly #running: Running;
  #states: unknown[] | undefined;

  constructor(info: ConnectionInfo, running: Running) {
    this.client = info.client;
    this.server = info.server;
    this.openedBy = info.openedBy;
    this.#running = running;
  }

  get state(): unknown {
    const tap = this.#running.tap;
    if (tap === undefined) throw new PluginMistake("a connection's state can be read during a tap only");
    return this.stateOf(tap.plugin);
  }

  stateOf(plugin: PluginRecord): unknown {
    this.#states ??= [];
    return (this.#states[plugin.index] ??= plugin.plugin.state?.() ?? {});
  }

  /** The same connection for one plugin, whichever tap is running. */
  viewOf(plugin: PluginRecord): PluginConnection<unknown> {
    return new ConnectionView(this, plugin);
  }

  /** The connection has ended: what was remembered of it goes. */
  release(): void {
    this.#states = undefined;
  }
}

class ConnectionView implements PluginConnection<unknown> {
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly openedBy: ConnectionInfo['openedBy'];
  readonly #record: ConnectionRecord;
  readonly #plugin: PluginRecord;

  constructor(record: ConnectionRecord, plugin: PluginRecord) {
    this.client = record.client;
    this.server = record.server;
    this.openedBy = record.openedBy;
    this.#record = record;
    this.#plugin = plugin;
  }

  get state(): unknown {
    return this.#record.stateOf(this.#plugin);
  }
}
