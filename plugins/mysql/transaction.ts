/**
 * The transaction that a session to the target may be in. It does not outlive its session: what is left of it is refused, since
 * it would be done at once elsewhere.
 */
import type { Preparation } from 'tcpcopy/plugin';
import type { MysqlCommand } from './command.ts';
import { beginsTransaction, endsTransaction } from './statements.ts';
import { STATUS } from './status.ts';

/** Commands that do something in a transaction. */
const WORK = ['QUERY', 'STMT_EXECUTE', 'STMT_BULK_EXECUTE'];
const LEAVES = ['LOGIN', 'CHANGE_USER', 'RESET_CONNECTION'];

export class Transaction {
  #open = false;
  /** Its session is gone, and the rest of it is still to come. */
  #lost = false;

  /** The target has answered. `status`: the server's, where it told. */
  answered(status: number | undefined): void {
    if (status !== undefined) this.#open = (status & STATUS.IN_TRANSACTION) !== 0;
  }

  sessionEnded(): void {
    this.#lost ||= this.#open;
    this.#open = false;
  }

  /** What becomes of a command that is left of a transaction whose session is gone; `undefined`: it is not. */
  refuses(command: MysqlCommand): Preparation | undefined {
    if (!this.#lost) return undefined;
    const sql = command.sql ?? '';
    const works = WORK.includes(command.name);
    if (LEAVES.includes(command.name) || (works && beginsTransaction(sql))) {
      this.#lost = false;
      return undefined;
    }
    if (!works) return undefined;
    if (endsTransaction(sql)) this.#lost = false;
    return { refuse: 'its transaction ended with the session' };
  }
}
