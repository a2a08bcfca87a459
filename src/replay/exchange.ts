/**
 * A request with its responses, until all that belong to it have come. Every copy of a request is an exchange of its own,
 * with the online server's response in each: what the target does with the third copy matters as much as with the first.
 */
import type { Exchange } from '../pipeline/contexts.ts';
import type { Duration } from '../core/time.ts';

/** A response, and the time from the request to it. */
export interface TimedResponse {
  readonly response: unknown;
  readonly time: Duration;
}

/** A request whose responses are read. */
export interface ReadRequest {
  /** What the codec made of it; `undefined` where it could not read it. */
  readonly message: unknown;
  /** Where somebody wants to see it with its responses. */
  readonly exchange: PendingExchange | undefined;
}

export class PendingExchange {
  readonly #request: unknown;
  readonly #show: (exchange: Exchange) => void;
  #online: TimedResponse | undefined;
  #awaitsOnline: boolean;
  #waiting: (TimedResponse | undefined)[] = [];

  /** `awaitsOnline`: the online server's response is read too, and `onlineSettled` follows. */
  constructor(request: unknown, awaitsOnline: boolean, show: (exchange: Exchange) => void) {
    this.#request = request;
    this.#awaitsOnline = awaitsOnline;
    this.#show = show;
  }

  /** One copy has its fate; `undefined`: no response came, or none could be read. */
  targetSettled(target: TimedResponse | undefined): void {
    if (this.#awaitsOnline) this.#waiting.push(target);
    else this.#tell(target);
  }

  /** The online server has answered; `undefined`: that is not known. */
  onlineSettled(online: TimedResponse | undefined): void {
    if (!this.#awaitsOnline) return;
    this.#awaitsOnline = false;
    this.#online = online;
    for (const target of this.#waiting) this.#tell(target);
    this.#waiting = [];
  }

  #tell(target: TimedResponse | undefined): void {
    this.#show({
      request: this.#request,
      target: target?.response,
      targetTime: target?.time,
      online: this.#online?.response,
      onlineTime: this.#online?.time,
    });
  }
}
