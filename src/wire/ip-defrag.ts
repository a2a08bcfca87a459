/**
 * Puts IP fragments together (RFC 791 §3.2, RFC 8200 §4.5).
 *
 * Each datagram collects its fragments (ip-datagram.ts) until it is whole; then it is handed out, in memory of its own
 * which the caller may keep.
 *
 * Overlaps: the byte that came first stays, in both families. (RFC 5722 wants overlapping IPv6 fragments thrown away;
 * a copier does better to follow the bytes than to lose the request.) A fragment that contradicts the known total is
 * malformed and ignored.
 *
 * Caps: datagrams, bytes and fragments per datagram. At a cap the new fragment is refused, and those held wait on until
 * their time is up, by capture time. Everything is counted, so that frames held = joined + expired + still pending.
 */
import { Counters } from '../core/counters.ts';
import {
  DROP_IP_FRAGMENT_CAP,
  DROP_IP_FRAGMENT_HELD,
  DROP_IP_FRAGMENT_MALFORMED,
  DROP_NONE,
  DROP_FRAME_TRUNCATED,
  type DropReason,
} from '../core/drop-reason.ts';
import { elapsed, seconds, type Duration, type Instant } from '../core/time.ts';
import type { FrameCursor } from './frame-cursor.ts';
import { IP_DATAGRAM_LENGTH_MAX, IpDatagram } from './ip-datagram.ts';
import type { Segment } from './segment.ts';

export interface FragmentLimits {
  /** Datagrams waiting for fragments. */
  readonly datagrams: number;
  /** Bytes of memory in all of them. */
  readonly bytes: number;
  /** Fragments accepted for one datagram. */
  readonly fragments: number;
  /** How long a datagram waits after its first fragment. Linux waits 30 s. */
  readonly timeout: Duration;
}

const DEFAULT_LIMITS: FragmentLimits = { datagrams: 1024, bytes: 8 << 20, fragments: 1024, timeout: seconds(30) };

/** Frames, except `reassembled`, which are datagrams. */
const FRAGMENT_COUNTERS = [
  /** Accepted, whether their datagram became whole or not. */
  'held',
  /** Part of a datagram that became whole. */
  'joined',
  'reassembled',
  /** Held until the time was up. */
  'expired',
  'malformed',
  /** Cut by the snap length. */
  'truncated',
  /** Refused at a cap. */
  'refused',
  /** Brought only bytes that were there. */
  'duplicate',
  /** Brought some bytes that were there. */
  'overlapping',
] as const;

export type FragmentCounterName = (typeof FRAGMENT_COUNTERS)[number];

const HELD = FRAGMENT_COUNTERS.indexOf('held');
const JOINED = FRAGMENT_COUNTERS.indexOf('joined');
const REASSEMBLED = FRAGMENT_COUNTERS.indexOf('reassembled');
const EXPIRED = FRAGMENT_COUNTERS.indexOf('expired');
const MALFORMED = FRAGMENT_COUNTERS.indexOf('malformed');
const TRUNCATED = FRAGMENT_COUNTERS.indexOf('truncated');
const REFUSED = FRAGMENT_COUNTERS.indexOf('refused');
const DUPLICATE = FRAGMENT_COUNTERS.indexOf('duplicate');
const OVERLAPPING = FRAGMENT_COUNTERS.indexOf('overlapping');

export class FragmentTable {
  readonly counters = new Counters<FragmentCounterName>(FRAGMENT_COUNTERS);
  private readonly limits: FragmentLimits;
  /** In order of their first fragment. */
  private readonly datagrams = new Map<string, IpDatagram>();
  private bytesHeld = 0;

  constructor(limits: Partial<FragmentLimits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Frames that wait for the rest of their datagram. */
  get pending(): number {
    return this.counters.get('held') - this.counters.get('joined') - this.counters.get('expired');
  }

  /**
   * Takes the fragment at the cursor. DROP_NONE: the datagram is whole and the cursor stands at its beginning.
   * `out` has the addresses and the time.
   */
  take(c: FrameCursor, out: Segment): DropReason {
    this.expire(out.time);
    const start = c.fragmentOffset;
    const length = c.end - c.at;
    const end = start + length;
    if (c.missing > 0) return this.drop(TRUNCATED, DROP_FRAME_TRUNCATED);
    if (length === 0 || c.overlong || end > IP_DATAGRAM_LENGTH_MAX || (c.moreFragments && (length & 7) !== 0)) {
      return this.drop(MALFORMED, DROP_IP_FRAGMENT_MALFORMED);
    }
    const key = datagramKey(c, out);
    let datagram = this.datagrams.get(key);
    if (datagram === undefined) {
      if (this.datagrams.size >= this.limits.datagrams) return this.drop(REFUSED, DROP_IP_FRAGMENT_CAP);
      datagram = new IpDatagram(out.time, c.protocol);
    } else if (datagram.contradicts(end, c.moreFragments)) {
      return this.drop(MALFORMED, DROP_IP_FRAGMENT_MALFORMED);
    }
    if (datagram.frames >= this.limits.fragments || !this.makeRoom(datagram, end, c.moreFragments)) {
      return this.drop(REFUSED, DROP_IP_FRAGMENT_CAP);
    }
    if (datagram.frames === 0) this.datagrams.set(key, datagram);
    this.counters.add(HELD);
    const added = datagram.place(c.bytes, c.at, start, length, c.moreFragments, c.protocol);
    if (added === 0) this.counters.add(DUPLICATE);
    else if (added < length) this.counters.add(OVERLAPPING);
    if (!datagram.isWhole()) return DROP_IP_FRAGMENT_HELD;
    this.forget(key, datagram);
    this.counters.add(REASSEMBLED);
    this.counters.add(JOINED, datagram.frames);
    enterDatagram(c, datagram);
    return DROP_NONE;
  }

  /**
   * Gives up the datagrams whose time is up. Capture time may step back: one that lies as far ahead is as dead.
   */
  private expire(now: Instant): void {
    for (const [key, datagram] of this.datagrams) {
      if (Math.abs(elapsed(now, datagram.since)) <= this.limits.timeout) return;
      this.forget(key, datagram);
      this.counters.add(EXPIRED, datagram.frames);
    }
  }

  private forget(key: string, datagram: IpDatagram): void {
    this.datagrams.delete(key);
    this.bytesHeld -= datagram.bytes.length;
  }

  private drop(counter: number, reason: DropReason): DropReason {
    this.counters.add(counter);
    return reason;
  }

  /** False: the memory cap is reached. */
  private makeRoom(datagram: IpDatagram, end: number, moreFragments: boolean): boolean {
    const size = datagram.bytes.length;
    const wanted = datagram.sizeFor(end, moreFragments);
    if (this.bytesHeld + wanted - size > this.limits.bytes) return false;
    datagram.resize(wanted);
    this.bytesHeld += wanted - size;
    return true;
  }
}

/** RFC 791 §3.2: addresses, protocol, identification; RFC 8200 §4.5 leaves the protocol out. And the network. */
function datagramKey(c: FrameCursor, s: Segment): string {
  const protocol = s.ipVersion === 4 ? c.protocol : -1;
  const addresses = `${s.src0},${s.src1},${s.src2},${s.src3},${s.dst0},${s.dst1},${s.dst2},${s.dst3}`;
  return `${addresses},${c.fragmentId},${protocol},${c.path}`;
}

function enterDatagram(c: FrameCursor, datagram: IpDatagram): void {
  c.bytes = datagram.bytes;
  c.view = new DataView(datagram.bytes.buffer);
  c.at = 0;
  c.end = datagram.total;
  c.missing = 0;
  c.protocol = datagram.protocol;
  c.inner = true;
  c.fragmented = false;
}
