/**
 * From a captured segment to the instance whose session it answers: the lease says whose port it goes to, and the
 * segment must come from a target of that instance, so that ordinary traffic of the test server is left alone.
 */
import { NO_HOLDER, type LeaseTable } from '../control/lease-table.ts';
import type { Segment } from '../wire/segment.ts';
import type { Instance } from './instance.ts';

export class Router {
  readonly #leases: LeaseTable;
  /** Instances by holder number. */
  readonly #instances: readonly (Instance | undefined)[];

  constructor(leases: LeaseTable, instances: readonly (Instance | undefined)[]) {
    this.#leases = leases;
    this.#instances = instances;
  }

  route(segment: Segment): Instance | undefined {
    const holder = this.#leases.ownerOfPort(segment.dstPort);
    if (holder === NO_HOLDER) return undefined;
    const instance = this.#instances[holder];
    return instance !== undefined && instance.accepts(segment) ? instance : undefined;
  }
}
