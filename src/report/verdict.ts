import { TcpcopyError } from '../core/errors.ts';
import { formatCount } from './format.ts';
import type { Ledger, UnitBucket } from './ledger.ts';

/** Requests that the input does not hold whole: no target could have been sent them. */
const NOT_IN_INPUT: readonly UnitBucket[] = ['not-picked-up', 'capture-gap', 'kernel-drop'];

/**
 * What is wrong with a finished run's result; `undefined` when nothing is, and the exit code is 0. `wholeInput`: all
 * there was to copy has been read, as a recording is; then a target that got nothing of it is a failure by itself, and a
 * recording that has nothing of what was selected fails `minFidelity`, which would else be met by a mistyped port.
 */
export function judge(ledger: Ledger, minFidelity: number | undefined, wholeInput: boolean): TcpcopyError | undefined {
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
  if (minFidelity !== undefined && wholeInput && ledger.unitsOpened === 0) {
    return new TcpcopyError('E_FIDELITY', 'there was no request to copy in the recording', {
      where: `--min-fidelity ${minFidelity}`,
      hint: 'see that -x and -F select the right server: tcpcopy inspect lists what is in it',
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
  const replayable = ledger.lost() - NOT_IN_INPUT.reduce((n, bucket) => n + ledger.units.get(bucket), 0);
  if (wholeInput && ledger.delivered() === 0 && replayable > 0) {
    return new TcpcopyError('E_FIDELITY', `not one of ${formatCount(replayable)} requests reached the target`, {
      hint: 'the summary names the reasons',
    });
  }
  return undefined;
}

function lostText(ledger: Ledger): string {
  return `${formatCount(ledger.lost())} of ${formatCount(ledger.unitsOpened - ledger.excluded())} did not`;
}
