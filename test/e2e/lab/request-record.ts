/** One request as a server saw it. Servers of every kind in the lab report these, so that any two can be compared. */
export interface RequestRecord {
  /** Names the connection within one server's run. */
  readonly connection: string;
  /** Unique id that the load put into the request. */
  readonly id: string;
  /** Stands for the bytes of the request: equal bytes give equal fingerprints. */
  readonly fingerprint: string;
  /** Wall-clock time of the end of the request, ms. */
  readonly at: number;
}
