/**
 * What is known of one flow, laid out so that a packet in order of an IPv4 flow touches one cache line of 64 bytes: what
 * tells the flow, what its next segment is compared with, and what is written when it passes. All flows' lines are one
 * array; what is needed less often is in a second one.
 *
 * Words (signed, 32 bits) and doubles (64 bits) are two views of the same memory; positions of doubles count in pairs of
 * words. Where there are two, they are by half: client → server first.
 */

/** Words of a line, and doubles. */
export const RECORD_WORDS = 16;
export const RECORD_DOUBLES = RECORD_WORDS / 2;

/** Last words of the source and destination address, as in the segment that opened the flow; the others are apart. */
export const SOURCE = 0;
export const DESTINATION = 1;
/** Source port in the upper half. */
export const PORTS = 2;
export const ENCAPSULATION = 3;
/** FLAG_ bits. */
export const FLAGS = 4;
/** When it was last touched, in units of the table's granularity; wraps. */
export const TICK = 5;
/** The sequence number of the next byte, by half; of a closed flow, too. */
export const NEXT = 6;
/** Up to where the half is acknowledged; of a closed flow, where it began. */
export const ACKED = 8;
/** Doubles. */
export const LAST_SEEN = 5;
/** Bytes handed out or declared missing, by half. */
export const OFFSET = 6;

/** Words of a flow in the second array, and doubles. */
export const APART_WORDS = 12;
export const APART_DOUBLES = APART_WORDS / 2;

/** The first three words of the addresses: of IPv4 they are always the same. */
export const SOURCE_REST = 0;
export const DESTINATION_REST = 3;
export const HASH = 6;
/** Neighbours in the list of active or of closed flows; of a free record only the next. */
export const PREVIOUS = 7;
export const FOLLOWING = 8;
/** A double: when it was last touched, to the table's granularity. */
export const TOUCHED = 5;

/** In the list of closed flows. */
export const FLAG_CLOSED = 1;
/** The first direction, that of the key, is server → client. */
export const FLAG_FLIPPED = 2;
/** The next segment in order of the half needs nothing but to be passed through (see connection); by half. */
export const FLAG_PLAIN = 4;
/** An acknowledgement in such a segment must not go beyond what is known of the other half; by half. */
export const FLAG_BOUNDED = 16;
/** A good checksum was seen from the half's sender; by half. */
export const FLAG_SEEN_GOOD = 64;
/** Its SYN was seen; of a closed flow, by half. */
export const FLAG_SYN_SEEN = 256;
/** The end of its stream is known; of a closed flow, by half. */
export const FLAG_FIN_KNOWN = 1024;
/** Both addresses are IPv4. */
export const FLAG_IPV4 = 4096;

const LINE = 64;
/** Where a large block that calloc gives begins within a cache line, in glibc. */
const BLOCK_BEGINS = 16;
/** Words left free in front of the first line, so that they are lines of the cache. */
const SKEW = (LINE - BLOCK_BEGINS) / 4;

export class FlowRecords {
  readonly capacity: number;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly apart: Int32Array;
  readonly apartDoubles: Float64Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    const memory = new ArrayBuffer((SKEW + capacity * RECORD_WORDS) * 4);
    this.words = new Int32Array(memory, SKEW * 4);
    this.doubles = new Float64Array(memory, SKEW * 4);
    this.apart = new Int32Array(capacity * APART_WORDS);
    this.apartDoubles = new Float64Array(this.apart.buffer);
  }

  /** The same records, with room for more. */
  grown(capacity: number): FlowRecords {
    const grown = new FlowRecords(capacity);
    grown.words.set(this.words);
    grown.apart.set(this.apart);
    return grown;
  }
}
