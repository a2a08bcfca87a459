/** A target that takes everything and sends nothing: what a run is given whose requests are only looked at. */
import type { SessionOwner, Target, TargetSession } from './target.ts';

class DiscardingSession implements TargetSession {
  acknowledged = 0;
  readonly #gone: () => void;
  #over = false;

  constructor(gone: () => void) {
    this.#gone = gone;
  }

  send(_bytes: Uint8Array, _offset: number, length: number): number {
    this.acknowledged += length;
    return length;
  }

  close(): void {
    if (!this.#over) this.#gone();
    this.#over = true;
  }

  abort(): void {
    this.close();
  }
}

export class DiscardingTarget implements Target {
  readonly bufferedBytes = 0;
  readonly shutOut = 0;
  readonly ready = true;
  readonly packets = 0;
  readonly unsent = 0;
  readonly heard = 0;
  openSessions = 0;
  readonly #gone = (): void => void this.openSessions--;

  open(_owner: SessionOwner): TargetSession {
    this.openSessions++;
    return new DiscardingSession(this.#gone);
  }

  flush(): void {
    // Nothing leaves.
  }

  abortAll(): void {
    // Sessions hold nothing.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
