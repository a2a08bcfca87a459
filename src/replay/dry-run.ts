/** `--dry-run`: shows each request as it would be sent. */
import type { Selected } from '../config/copy-options.ts';
import { formatEndpoint } from '../core/ip-address.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import type { Piece } from '../protocol/codec.ts';
import { dryRunHeading, dryRunLines } from '../report/dry-run-line.ts';
import { messageText } from '../report/request-text.ts';
import type { MessageObserver, Observe, Verdict } from './message-observer.ts';

type Environment = Pick<RunEnvironment, 'stdout' | 'columns'>;

/** Prints a line when a message is over: only then its length is known. */
export function listRequests(environment: Environment, mappings: readonly Selected[]): Observe {
  const oneTarget = mappings.length === 1 && mappings.every(({ online }) => online.portFirst === online.portLast);
  let headed = false;
  return ({ client }, target) =>
    new Listing((text, verdict, bytes, whole) => {
      if (!headed) environment.stdout(dryRunHeading(!oneTarget));
      headed = true;
      const outcome = verdict.dropped ? 'dropped' : !whole ? 'cut short' : verdict.changed ? 'changed' : 'as it is';
      const ends = { client: formatEndpoint(client), target: oneTarget ? undefined : formatEndpoint(target) };
      const lines = dryRunLines({ ...ends, bytes, text, outcome, ...verdict }, environment.columns);
      for (const line of lines) environment.stdout(line);
    });
}

type Print = (text: string, verdict: Verdict, bytes: number, whole: boolean) => void;

class Listing implements MessageObserver {
  readonly #print: Print;
  #message: { readonly text: string; readonly verdict: Verdict } | undefined;
  #bytes = 0;

  constructor(print: Print) {
    this.#print = print;
  }

  begins({ bytes, offset, length, message }: Readonly<Piece>, _protocol: string, verdict: Verdict): void {
    this.#finish(true);
    this.#message = { text: messageText(message, bytes, offset, length), verdict };
    this.#bytes = verdict.dropped === undefined ? 0 : length;
    if (verdict.dropped !== undefined) this.#finish(true);
  }

  bytes({ length, last }: Readonly<Piece>): void {
    this.#bytes += length;
    if (last) this.#finish(true);
  }

  broken(): void {
    this.#finish(false);
  }

  ended(): void {
    this.#finish(true);
  }

  #finish(whole: boolean): void {
    if (this.#message === undefined) return;
    this.#print(this.#message.text, this.#message.verdict, this.#bytes, whole);
    this.#message = undefined;
  }
}
