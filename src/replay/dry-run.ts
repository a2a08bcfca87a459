/** `--dry-run`: shows each request as it would be sent. */
import { formatEndpoint } from '../core/ip-address.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import type { Piece } from '../protocol/codec.ts';
import { DRY_RUN_HEADING, dryRunLine } from '../report/dry-run-line.ts';
import { messageText } from '../report/request-text.ts';
import type { MessageObserver, Observe, Verdict } from './message-observer.ts';

/** Prints a line when a message is over: only then its length is known. */
export function listRequests({ stdout }: Pick<RunEnvironment, 'stdout'>): Observe {
  let headed = false;
  return ({ client }, target) =>
    new Listing((text, verdict, bytes, whole) => {
      if (!headed) stdout(DRY_RUN_HEADING);
      headed = true;
      const outcome = verdict.dropped ? 'dropped' : !whole ? 'cut short' : verdict.changed ? 'changed' : 'as it is';
      const ends = { client: formatEndpoint(client), target: formatEndpoint(target) };
      stdout(dryRunLine({ ...ends, bytes, text, outcome, ...verdict }));
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
