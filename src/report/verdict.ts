import { TcpcopyError } from '../core/errors.ts';
import { formatCount } from './format.ts';
import type { Ledger } from './ledger.ts';

/** What is wrong with a finished run's result; `undefined` when nothing is, and the exit code is 0. */
export function judge(ledger: Ledger, minFidelity: number | undefined): TcpcopyError | undefined {
  const { balanced, units, connections, frames } = ledger.balance();
  if (!balanced) {
    const pairs = [
      `requests ${units.opened} opened, ${units.settled} settled`,
      `connections ${connections.opened} opened, ${connections.settled} settled`,
      `frames ${frames.seen} seen, ${frames.segments + frames.dropped} accounted for`,
    ];
    return new TcpcopyError('E_LEDGER', `the figures do not add up: ${pairs.join('; ')}`, {
      hint: 'this is a fault of tcpcopy: please report it',
    });
  }
  const fidelity = ledger.fidelity();
  if (minFidelity !== undefined && fidelity < minFidelity) {
    // Rounded down, so that 99.999 is not shown as the 100 that it missed.
    const shown = Math.floor(fidelity * 1000) / 1000;
    return new TcpcopyError('E_FIDELITY', `${shown} % of the requests reached the target (${lostText(ledger)})`, {
      where: `--min-fidelity ${minFidelity}`,
      hint: 'the summary names the reasons',
    });
  }
  return undefined;
}

function lostText(ledger: Ledger): string {
  return `${formatCount(ledger.lost())} of ${formatCount(ledger.unitsOpened - ledger.excluded())} did not`;
}
