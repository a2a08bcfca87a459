/**
 * What is known of one flow, laid out so that a packet touches few cache lines: two of 64 bytes, side by side, in one
 * array for all flows. The first holds what tells the flow and what its next segment is compared with, the second what
 * is written when it passes.
 *
 * Words (signed, 32 bits) and doubles (64 bits) are two views of the same memory; positions of doubles count in pairs of
 * words. Where there are two, they are by half: client → server first.
 */

/** Words of a record, and doubles. */
export const RECORD_WORDS = 32;
export const RECORD_DOUBLES = RECORD_WORDS / 2;

/** Source and destination address, four words each, as in the segment that opened the flow. */
export const SOURCE = 0;
export const DESTINATION = 4;
/** Source port in the upper half. */
export const PORTS = 8;
export const ENCAPSULATION = 9;
export const HASH = 10;
/** FLAG_ bits. */
export const FLAGS = 11;
/** The sequence number of the next byte, by half; of a closed flow, too. */
export const NEXT = 12;
/** Up to where the half is acknowledged; of a closed flow, where it began. */
export const ACKED = 14;

/** Doubles of the second line. When it was last touched, to the table's granularity. */
export const TOUCHED = 8;
export const LAST_SEEN = 9;
/** Bytes handed out or declared missing, by half. */
export const OFFSET = 10;
/** Words of the second line: neighbours in the list of active or of closed flows; of a free record only the next. */
export const PREVIOUS = 24;
export const FOLLOWING = 25;

/** In the list of closed flows. */
export const FLAG_CLOSED = 1;
/** The first direction, that of the key, is server → client. */
export const FLAG_FLIPPED = 2;
/** The next segment in order of the half needs nothing but to be passed through (see plain-lane); by half. */
export const FLAG_PLAIN = 4;
/** An acknowledgement in such a segment must not go beyond what is known of the other half; by half. */
export const FLAG_BOUNDED = 16;
/** A good checksum was seen from the half's sender; by half. */
export const FLAG_SEEN_GOOD = 64;
/** Its SYN was seen; of a closed flow, by half. */
export const FLAG_SYN_SEEN = 256;
/** The end of its stream is known; of a closed flow, by half. */
export const FLAG_FIN_KNOWN = 1024;

const LINE = 64;
/** Where a large block that calloc gives begins within a cache line, in glibc. */
const BLOCK_BEGINS = 16;
/** Words left free in front of the first record, so that records begin where lines do. */
const SKEW = (LINE - BLOCK_BEGINS) / 4;

export class FlowRecords {
  readonly capacity: number;
  readonly words: Int32Array;
  readonly doubles: Float64Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    const memory = new ArrayBuffer((SKEW + capacity * RECORD_WORDS) * 4);
    this.words = new Int32Array(memory, SKEW * 4);
    this.doubles = new Float64Array(memory, SKEW * 4);
  }

  /** The same records, with room for more. */
  grown(capacity: number): FlowRecords {
    const grown = new FlowRecords(capacity);
    grown.words.set(this.words);
    return grown;
  }
}
