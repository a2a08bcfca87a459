/** What became of one captured connection's units, for the ledger: each unit as it is settled, the connection at its end. */
import { SHED_REASONS, type ConnectionBucket, type UnitBucket } from '../report/ledger.ts';
import type { ReplayContext } from './replay-context.ts';

export class ConnectionAccount {
  readonly #context: ReplayContext;
  readonly #copies: number;
  #delivered = 0;
  #lost = 0;
  /** What a connection of which nothing was delivered counts as. */
  #worst: ConnectionBucket = 'no-data';

  /** `copies`: how many replicas a unit goes to as a rule. */
  constructor(context: ReplayContext, copies: number) {
    this.#context = context;
    this.#copies = copies;
  }

  /** A unit has come to its end on one replica. */
  settle(bucket: UnitBucket): void {
    const { ledger, governor } = this.#context;
    ledger.settleUnit(bucket);
    if (bucket === 'shed') ledger.shed.add(SHED_REASONS.indexOf(governor!.reason!));
    if (bucket === 'answered' || bucket === 'unanswered') {
      this.#delivered++;
    } else {
      this.#lost++;
      this.#worst = bucket;
    }
  }

  /** A copy of a unit that its replica did not see. */
  loseOne(bucket: UnitBucket): void {
    this.#context.ledger.unitsOpened++;
    this.settle(bucket);
  }

  /** A unit that no replica saw: one entry a copy, so that units stay comparable under `-n`. */
  lose(bucket: UnitBucket): void {
    for (let n = this.#copies; n > 0; n--) this.loseOne(bucket);
  }

  /** All is given up for this reason; it tells what became of a connection without units. */
  giveUp(bucket: ConnectionBucket): void {
    if (this.#delivered + this.#lost === 0) this.#worst = bucket;
  }

  /** What the connection counts as, but for what was said of it as a whole. */
  get bucket(): ConnectionBucket {
    if (this.#delivered > 0) return this.#lost > 0 ? 'partly-replayed' : 'replayed';
    return this.#worst;
  }
}
