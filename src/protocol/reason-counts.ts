/** For codecs: how often bytes could not be read as the protocol, by what was wrong with them. */

/** The most reasons that figures tell apart; each is a constant of a codec, so there are no more by far. */
const MOST_FIGURES = 16;

export class ReasonCounts {
  readonly #counts = new Map<string, number>();

  count(reason: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** What has been counted, by reason. */
  get all(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** A figure for each reason, named `label: reason`; for the hook `stats`. */
  tell(context: { figure(name: string, value: number): void }, label: string): void {
    for (const [reason, count] of [...this.#counts].slice(0, MOST_FIGURES))
      context.figure(`${label}: ${reason}`, count);
  }
}
