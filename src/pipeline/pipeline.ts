/**
 * The pipeline every connection and message passes. It alone calls hooks; a hook nobody taps costs one check.
 */
import type { Piece } from '../protocol/codec.ts';
import { createHooks, type ConnectionInfo, type Drop, type Hooks } from './hooks.ts';

export class Pipeline {
  readonly hooks: Hooks = createHooks();

  /** What plugins say of a new connection; `undefined`: copy it. */
  connection(info: ConnectionInfo): Drop | undefined {
    return this.hooks.connection.isUsed() ? this.hooks.connection.call(info) : undefined;
  }

  /** What plugins say of the message that `piece` begins; `undefined`: send it. */
  request(connection: ConnectionInfo, protocol: string, piece: Piece): Drop | undefined {
    return this.hooks.request.isUsed() ? this.hooks.request.call({ connection, protocol, piece }) : undefined;
  }

  sessionEnded(info: ConnectionInfo): void {
    if (this.hooks.session.isUsed()) this.hooks.session.call(info);
  }

  shutdown(): void {
    if (this.hooks.shutdown.isUsed()) this.hooks.shutdown.call();
  }
}
