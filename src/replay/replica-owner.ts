/** What a replica belongs to: the connection that it is a copy of. */
import type { Endpoint } from '../core/ip-address.ts';
import type { UnitBucket } from '../report/ledger.ts';
import type { ConversationOwner } from './conversation.ts';

/** How the client ended the connection: FIN, RST, or no more was captured of it. */
export type ClientEnd = 'fin' | 'rst' | 'gone';

export interface ReplicaOwner extends ConversationOwner {
  readonly client: Endpoint;
  readonly target: Endpoint;
  /** A message of the target's has been read; `failed`: it says that the target has failed. */
  responseRead(message: unknown, failed: boolean): void;
  /** A request cannot be replayed, or (`all`) nothing on this copy can. */
  notReplayable(reason: string, all: boolean): void;
  unitSettled(bucket: UnitBucket): void;
  replicaDone(): void;
}
