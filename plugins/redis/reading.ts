/** What other plugins may ask of the codec, through the hook `redis.connection`. */

/** A connection that turned out to speak Redis. */
export class RedisReading {
  #strict = false;

  /** Bytes of it that are no commands are not sent: for who must have seen everything that is. */
  refuseUnparsable(): void {
    this.#strict = true;
  }

  /** Somebody has said so. */
  get strict(): boolean {
    return this.#strict;
  }
}
