/** The connections that are open, by their entries in the flow table. */
import type { Instant } from '../core/time.ts';
import { remember } from './closed-flow.ts';
import type { Connection } from './connection.ts';
import type { FlowTable } from './flow-table.ts';

export class OpenConnections<User> {
  readonly byEntry: (Connection<User> | undefined)[] = [];
  /** Those whose last event has not been given, in the flow table or not. */
  count = 0;
  readonly #table: FlowTable;

  constructor(table: FlowTable) {
    this.#table = table;
  }

  add(c: Connection<User>): void {
    this.byEntry[c.entry] = c;
    this.count++;
  }

  /** Takes a connection out of the flow table, to make room for another. */
  detach(c: Connection<User>): void {
    if (c.entry < 0) return;
    this.#table.remove(c.entry);
    this.#leave(c);
  }

  /** A connection is over: a record of it stays in the flow table for its stragglers. */
  retire(c: Connection<User>, now: Instant): void {
    this.count--;
    if (c.entry < 0) return;
    remember(this.#table.records, c);
    this.#table.retire(c.entry, now);
    this.#leave(c);
  }

  #leave(c: Connection<User>): void {
    this.byEntry[c.entry] = undefined;
    c.entry = -1;
  }
}
