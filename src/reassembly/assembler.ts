/**
 * Out-of-order store of one direction of one connection: what arrived ahead of its turn, in sequence order.
 *
 *     const store = new Assembler({ maxBytes: 262_144, maxPieces: 1_024 });
 *     store.insert(seq, bytes, offset, length);      // copies what is new, once; returns how much that was
 *     store.insert(seq, undefined, 0, length);       // length-only: remembers that the bytes arrived, not what they were
 *     while ((piece = store.takeReady(next))) …      // hands out, and forgets, what continues the stream at `next`
 *     store.sackBlocks(3);                           // RFC 2018: newest first, adjacent pieces merged
 *
 * Invariants: pieces are sorted, not empty, and never overlap; the first copy of each byte wins. Everything held lies
 * within 2^31 of everything else, which callers ensure by inserting only inside a window of less than that, and by
 * dropping with `takeReady` or `discardBefore` what the stream has passed.
 *
 * At a cap (`maxBytes`, or `maxPieces` for many tiny pieces) the bytes that do not fit are refused, lowest sequence
 * numbers first served, and counted in `refusedBytes`. A TCP receiver may do that: unacknowledged data is sent again.
 * An observer asks `fits` beforehand and makes room by giving up on its oldest hole.
 */
import { copyOf } from '../core/bytes.ts';
import { compact } from '../core/compact.ts';
import { seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqNum, type SeqNum } from '../core/seq-num.ts';

export interface AssemblerLimits {
  /** Payload bytes held, in length-only pieces too. */
  readonly maxBytes: number;
  /** Separately stored pieces: bounds the bookkeeping that many tiny segments cost. */
  readonly maxPieces: number;
}

/** `[start, end)` in sequence space. */
export interface SeqRange {
  readonly start: SeqNum;
  readonly end: SeqNum;
}

/** A run of held bytes. `bytes` belongs to whoever took the piece; `undefined` in length-only mode. */
export interface Piece<Note> {
  seq: SeqNum;
  length: number;
  readonly bytes: Uint8Array | undefined;
  /** Where in `bytes` the piece begins. */
  offset: number;
  /** Whatever the caller wanted remembered of the segment that brought it. */
  readonly note: Note | undefined;
}

/** Stands where a piece was taken, so that the array does not keep its bytes alive. */
const TAKEN: Piece<never> = { seq: seqNum(0), length: 0, bytes: undefined, offset: 0, note: undefined };

export class Assembler<Note = undefined> {
  readonly #limits: AssemblerLimits;
  /** Sorted; entries before `#head` have been taken. */
  #pieces: Piece<Note>[] = [];
  #head = 0;
  #heldBytes = 0;
  #latest: SeqNum = seqNum(0);
  /** Bytes not stored because of a cap, since construction. */
  refusedBytes = 0;

  constructor(limits: AssemblerLimits) {
    this.#limits = limits;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get pieceCount(): number {
    return this.#pieces.length - this.#head;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === this.#head;
  }

  /** Lowest sequence number held; `undefined` when empty. */
  get firstSeq(): SeqNum | undefined {
    return this.#pieces[this.#head]?.seq;
  }

  /** One past the highest sequence number held; `undefined` when empty. */
  get endSeq(): SeqNum | undefined {
    const last = this.isEmpty ? undefined : this.#pieces[this.#pieces.length - 1];
    return last && seqAdd(last.seq, last.length);
  }

  /** The `index`-th piece held, to look at. */
  peek(index: number): Readonly<Piece<Note>> | undefined {
    return this.#pieces[this.#head + index];
  }

  /** Whether a segment of `length` bytes can be stored whole however it falls. */
  fits(length: number): boolean {
    return this.#heldBytes + length <= this.#limits.maxBytes && this.pieceCount < this.#limits.maxPieces;
  }

  /** Stores what is new of `[seq, seq + length)`, copying it out of `bytes`; returns the number of bytes stored. */
  insert(seq: SeqNum, bytes: Uint8Array | undefined, offset: number, length: number, note?: Note): number {
    const end = seqAdd(seq, length);
    const before = this.#heldBytes;
    this.#latest = seq;
    let at = this.#firstEndingAfter(seq);
    let from = seq;
    while (seqLt(from, end)) {
      const next = this.#pieces[at];
      if (next !== undefined && seqLe(next.seq, from)) {
        const nextEnd = seqAdd(next.seq, next.length);
        if (seqGt(nextEnd, from)) from = nextEnd;
        at++;
        continue;
      }
      const until = next !== undefined && seqLt(next.seq, end) ? next.seq : end;
      const source = offset + seqDiff(from, seq);
      const stored = this.#store(at, from, bytes, source, seqDiff(until, from), note);
      if (stored < seqDiff(until, from)) {
        this.refusedBytes += this.#uncovered(seqAdd(from, stored), end);
        break;
      }
      from = until;
      at = this.#firstEndingAfter(from);
    }
    return this.#heldBytes - before;
  }

  /**
   * Takes the piece that continues the stream at `next`, after forgetting what lies before it; of a piece longer than
   * `limit` only that much, the rest stays.
   */
  takeReady(next: SeqNum, limit = Infinity): Piece<Note> | undefined {
    this.discardBefore(next);
    const piece = this.#pieces[this.#head];
    if (piece === undefined || piece.seq !== next) return undefined;
    if (piece.length > limit) {
      const front = { ...piece, length: limit };
      this.discardBefore(seqAdd(next, limit));
      return front;
    }
    this.#dropFirst();
    return piece;
  }

  /** Forgets every byte before `seq`. */
  discardBefore(seq: SeqNum): void {
    for (;;) {
      const piece = this.#pieces[this.#head];
      if (piece === undefined || seqGe(piece.seq, seq)) return;
      const passed = seqDiff(seq, piece.seq);
      if (passed < piece.length) {
        piece.seq = seq;
        piece.offset += passed;
        piece.length -= passed;
        this.#heldBytes -= passed;
        return;
      }
      this.#dropFirst();
    }
  }

  /** Forgets every byte at or after `seq`. */
  discardFrom(seq: SeqNum): void {
    while (!this.isEmpty) {
      const piece = this.#pieces[this.#pieces.length - 1]!;
      const kept = seqDiff(seq, piece.seq);
      if (kept >= piece.length) return;
      if (kept > 0) {
        this.#heldBytes -= piece.length - kept;
        piece.length = kept;
        return;
      }
      this.#heldBytes -= piece.length;
      this.#pieces.pop();
    }
    this.clear();
  }

  /** What is held, ascending, adjacent pieces as one range. */
  ranges(): SeqRange[] {
    const out: SeqRange[] = [];
    for (let i = this.#head; i < this.#pieces.length; i++) {
      const piece = this.#pieces[i]!;
      const end = seqAdd(piece.seq, piece.length);
      const last = out[out.length - 1];
      if (last !== undefined && last.end === piece.seq) out[out.length - 1] = { start: last.start, end };
      else out.push({ start: piece.seq, end });
    }
    return out;
  }

  /** Up to `max` ranges for a SACK option, the one with the newest arrival first (RFC 2018 §4). */
  sackBlocks(max: number): SeqRange[] {
    const all = this.ranges();
    const newest = all.findIndex((r) => seqLe(r.start, this.#latest) && seqLt(this.#latest, r.end));
    if (newest > 0) all.unshift(...all.splice(newest, 1));
    return all.slice(0, max);
  }

  clear(): void {
    this.#pieces = [];
    this.#head = 0;
    this.#heldBytes = 0;
  }

  /** Index of the first piece that ends after `seq`, or of the end. */
  #firstEndingAfter(seq: SeqNum): number {
    let low = this.#head;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const piece = this.#pieces[middle]!;
      if (seqGt(seqAdd(piece.seq, piece.length), seq)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Puts a run that overlaps nothing at index `at`; returns how much of it the caps allowed. */
  #store(at: number, seq: SeqNum, bytes: Uint8Array | undefined, source: number, length: number, note?: Note): number {
    const room = Math.min(length, this.#limits.maxBytes - this.#heldBytes);
    if (room <= 0) return 0;
    const previous = at > this.#head ? this.#pieces[at - 1] : undefined;
    if (
      bytes === undefined &&
      previous !== undefined &&
      previous.bytes === undefined &&
      previous.note === note &&
      seqAdd(previous.seq, previous.length) === seq
    ) {
      previous.length += room;
    } else {
      if (this.pieceCount >= this.#limits.maxPieces) return 0;
      const copy = bytes && copyOf(bytes, source, room);
      this.#pieces.splice(at, 0, { seq, length: room, bytes: copy, offset: 0, note });
    }
    this.#heldBytes += room;
    return room;
  }

  /** How many bytes of `[from, end)` are not held. */
  #uncovered(from: SeqNum, end: SeqNum): number {
    let missing = seqDiff(end, from) as number;
    for (let i = this.#firstEndingAfter(from); i < this.#pieces.length; i++) {
      const piece = this.#pieces[i]!;
      if (seqGe(piece.seq, end)) break;
      const pieceEnd = seqAdd(piece.seq, piece.length);
      const covered = seqDiff(seqLt(pieceEnd, end) ? pieceEnd : end, seqLt(piece.seq, from) ? from : piece.seq);
      missing -= covered;
    }
    return missing;
  }

  #dropFirst(): void {
    this.#heldBytes -= this.#pieces[this.#head]!.length;
    this.#pieces[this.#head++] = TAKEN;
    if (this.#head === this.#pieces.length) this.clear();
    else this.#head = compact(this.#pieces, this.#head);
  }
}
