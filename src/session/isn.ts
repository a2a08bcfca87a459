/**
 * Initial sequence numbers after RFC 6528: a clock plus a keyed hash of the connection's four-tuple.
 *
 * What it is for here is not secrecy but reuse. Source ports are few and come back soon, possibly while the target still
 * holds the last connection of that port in TIME-WAIT (60 s on Linux), and it takes a SYN for a new connection only when
 * its sequence number lies after the last one it saw (RFC 9293 §3.10.7.4, RFC 1122 §4.2.2.13). Compared modulo 2^32,
 * "after" means less than 2^31 ahead.
 *
 * The hash is the same for the same four-tuple, so between two uses that begin T µs apart the clock moves 16 T, as
 * Linux's does. The last number seen was the old ISN + S, for S bytes sent. The new one lies after it when
 * S < 16 T < S + 2^31:
 *   - from below: a session that sent S bytes must begin S / 16 µs before the next: 2 s for 32 MB. Sessions slower than
 *     16 MB/s satisfy it by themselves.
 *   - from above: T < 134 s. A session that lived longer can meet the wrong half, and the clock is back ahead at 268 s.
 * In both gaps the target answers the SYN with an ACK; the session resets what is left there and sends its SYN again: one round
 * trip lost, not the connection.
 */
import type { Endpoint, IpAddress } from '../core/ip-address.ts';
import { seqAdd, seqNum, type SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';

/** Sequence numbers per microsecond. */
const CLOCK_RATE = 16;
const SPACE = 2 ** 32;

export class IsnGenerator {
  readonly #key0: number;
  readonly #key1: number;

  /** Two random 32-bit words: equal secrets give equal numbers, so a seeded run repeats. */
  constructor(secret0: number, secret1: number) {
    this.#key0 = secret0 | 0;
    this.#key1 = secret1 | 0;
  }

  next(now: Instant, local: Endpoint, remote: Endpoint): SeqNum {
    const clock = Math.floor(now * CLOCK_RATE) % SPACE;
    return seqAdd(seqNum(clock), hashEndpoints(this.#key0, this.#key1, local, remote));
  }
}

/** The state of the hash that is being made. */
const v = new Int32Array(4);

/** HalfSipHash-2-4 (Aumasson and Bernstein's 32-bit SipHash) over addresses and ports, nine words. */
function hashEndpoints(key0: number, key1: number, local: Endpoint, remote: Endpoint): number {
  v[0] = key0;
  v[1] = key1;
  v[2] = 0x6c79_6765 ^ key0;
  v[3] = 0x7465_6462 ^ key1;
  mixAddress(local.address);
  mixAddress(remote.address);
  mix((local.port << 16) | remote.port);
  // The last block of the original: length in its top byte, no bytes left over.
  mix((9 * 4) << 24);
  v[2]! ^= 0xff;
  for (let i = 0; i < 4; i++) sipRound();
  return v[1]! ^ v[3]!;
}

function mixAddress({ w0, w1, w2, w3 }: IpAddress): void {
  mix(w0);
  mix(w1);
  mix(w2);
  mix(w3);
}

function mix(word: number): void {
  v[3]! ^= word;
  sipRound();
  sipRound();
  v[0]! ^= word;
}

function sipRound(): void {
  v[0]! += v[1]!;
  v[1] = rotateLeft(v[1]!, 5) ^ v[0]!;
  v[0] = rotateLeft(v[0]!, 16);
  v[2]! += v[3]!;
  v[3] = rotateLeft(v[3]!, 8) ^ v[2]!;
  v[0]! += v[3]!;
  v[3] = rotateLeft(v[3]!, 7) ^ v[0]!;
  v[2]! += v[1]!;
  v[1] = rotateLeft(v[1]!, 13) ^ v[2]!;
  v[2] = rotateLeft(v[2]!, 16);
}

function rotateLeft(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}
