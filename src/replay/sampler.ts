/**
 * `-r`: which connections are copied. The choice is a keyed hash of the client's endpoint against a threshold, so the
 * same connections are chosen on every host and run with the same seed, and 5 % is part of 10 %.
 */
import type { Endpoint } from '../core/ip-address.ts';
import { elapsed, toSeconds, type Instant } from '../core/time.ts';

export class Sampler {
  readonly #percent: number;
  readonly #gradual: boolean;
  readonly #seed: number;
  readonly #begun: Instant;

  /** `gradual`: from 1 % up, one point a second from `begun`. */
  constructor(percent: number, gradual: boolean, seed: number, begun: Instant) {
    this.#percent = percent;
    this.#gradual = gradual;
    this.#seed = seed | 0;
    this.#begun = begun;
  }

  chooses(client: Endpoint, now: Instant): boolean {
    const grown = this.#gradual ? Math.floor(toSeconds(elapsed(now, this.#begun))) + 1 : 100;
    const percent = Math.min(this.#percent, grown);
    return percent >= 100 || this.#position(client) < percent / 100;
  }

  /** Where in [0, 1) the client falls. */
  #position({ address, port }: Endpoint): number {
    let h = this.#seed ^ 0x9e3779b9;
    for (const word of [address.w0, address.w1, address.w2, address.w3, port]) {
      h = Math.imul(h ^ word, 0x85ebca6b);
      h ^= h >>> 13;
      h = Math.imul(h, 0xc2b2ae35);
      h ^= h >>> 16;
    }
    return (h >>> 0) / 2 ** 32;
  }
}
