import { instant, type Instant } from '../core/time.ts';

const TWO_TO_32 = 4_294_967_296;
const MICROSECONDS_EXPONENT = 6;
/** Up to here the remainders below stay exact integers in a double. */
const EXACT_EXPONENT_MAX = 12;
/** Bit of if_tsresol: the exponent is of 2, not of 10. */
const BINARY = 0x80;

/**
 * How one pcapng interface counts time: a 64-bit number of ticks, in two halves. The default is microseconds.
 *
 * Ticks since 1970 in nanoseconds do not fit a double, but their microseconds do. So for decimal resolutions each half
 * is divided by itself, `2^32 = quotient * divisor + remainder`, and all products stay exact.
 */
export class PcapngClock {
  /** Seconds per tick. */
  readonly resolution: number;
  private readonly quotient: number;
  private readonly remainder: number;
  private readonly divisor: number;
  private readonly offset: number;

  /** `resolution` as if_tsresol has it; `offsetSeconds` from if_tsoffset, added to each time. */
  constructor(resolution: number = MICROSECONDS_EXPONENT, offsetSeconds = 0) {
    const exponent = resolution & 0x7f;
    const binary = (resolution & BINARY) !== 0;
    this.resolution = binary ? 2 ** -exponent : Number(`1e-${exponent}`);
    this.divisor = binary ? 2 ** exponent / 1e6 : 10 ** (exponent - MICROSECONDS_EXPONENT);
    const exact = !binary && exponent >= MICROSECONDS_EXPONENT && exponent <= EXACT_EXPONENT_MAX;
    this.quotient = exact ? Math.floor(TWO_TO_32 / this.divisor) : TWO_TO_32 / this.divisor;
    this.remainder = exact ? TWO_TO_32 % this.divisor : 0;
    this.offset = offsetSeconds * 1e6;
  }

  toInstant(high: number, low: number): Instant {
    return instant(high * this.quotient + (high * this.remainder + low) / this.divisor + this.offset);
  }
}
