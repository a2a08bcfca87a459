/** Drives a codec as a run does, with memory that is overwritten behind its back, and writes down what came out. */
import { instant } from '../../core/time.ts';
import type { Detachable } from '../../pipeline/protocol-hooks.ts';
import type { ClientBytes, Codec, Piece } from '../../protocol/codec.ts';
import type { ReadMessage, Transcript } from './transcript.ts';

/** Client bytes of one segment, or so many that are missing. */
export type Step =
  { readonly bytes: Uint8Array; readonly turn: number; readonly seen: number } | { readonly missing: number } | 'end';

export interface ReadOptions {
  readonly tell: (message: unknown) => string;
  /** Called with every message before it is encoded. */
  readonly change?: ((message: unknown) => void) | undefined;
  /** Called with every message in the order they are read, after it was changed. */
  readonly sent?: ((message: unknown, turn: number) => void) | undefined;
  /** Told only after the captured bytes are gone, as messages that a plugin takes its time over are. */
  readonly late?: boolean;
}

const GONE = 0x47;
const NONE = new Uint8Array(0);
/** A codec that gives so many pieces for one push gives them for ever. */
const MOST_PIECES = 100_000;

export function readSteps(codec: Codec, steps: readonly Step[], options: ReadOptions): Transcript {
  return new Reading(codec, options).read(steps);
}

class Reading {
  readonly #codec: Codec;
  readonly #options: ReadOptions;
  readonly #transcript: Transcript = {
    messages: [],
    pieceBytes: 0,
    pushedBytes: 0,
    missingBytes: 0,
    skippedBytes: 0,
    fault: undefined,
  };
  #memory = NONE;
  #turn = 0;
  #time = 0;
  /** The message under way can go on. */
  #open = false;
  #late: (() => void)[] = [];

  constructor(codec: Codec, options: ReadOptions) {
    this.#codec = codec;
    this.#options = options;
  }

  read(steps: readonly Step[]): Transcript {
    const transcript = this.#transcript;
    for (const step of steps) {
      if (transcript.fault !== undefined) break;
      try {
        this.#take(step);
      } catch (error) {
        transcript.fault = `it threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
      }
    }
    transcript.skippedBytes = this.#codec.skippedBytes;
    return transcript;
  }

  #take(step: Step): void {
    const transcript = this.#transcript;
    if (step === 'end') {
      this.#codec.end?.();
      this.#drain();
    } else if ('missing' in step) {
      transcript.missingBytes += step.missing;
      const broken = this.#codec.gap(step.missing);
      if (broken && !this.#open) transcript.fault = 'gap() says that a message is broken, but none was under way';
      if (!broken && this.#open) transcript.fault = 'gap() says that no message is broken, but one was under way';
      this.#open = false;
    } else {
      this.#turn = step.turn;
      transcript.pushedBytes += step.bytes.length;
      this.#codec.push(this.#lend(step));
      this.#drain();
      this.#memory.fill(GONE);
      for (const tell of this.#late) tell();
      this.#late = [];
    }
  }

  /** Bytes in the middle of other memory, never twice at one place. */
  #lend({ bytes, seen }: Exclude<Step, 'end' | { missing: number }>): ClientBytes {
    const offset = 3 + (this.#time % 7);
    this.#memory = new Uint8Array(offset + bytes.length + 5).fill(GONE);
    this.#memory.set(bytes, offset);
    return { bytes: this.#memory, offset, length: bytes.length, time: instant(++this.#time), serverBytesSeen: seen };
  }

  #drain(): void {
    for (let n = 0, piece = this.#codec.next(); piece !== undefined; piece = this.#codec.next()) {
      this.#note(piece);
      if (++n > MOST_PIECES) throw new Error(`next() gave more than ${MOST_PIECES} pieces for one push`);
      if (this.#transcript.fault !== undefined) return;
    }
  }

  #note(piece: Piece): void {
    const transcript = this.#transcript;
    const fault = faultOf(piece, this.#open, transcript.messages.length === 0);
    if (fault !== undefined) {
      transcript.fault = fault;
      return;
    }
    if (piece.first) transcript.messages.push(this.#begin(piece));
    const bytes = piece.bytes.slice(piece.offset, piece.offset + piece.length);
    const message = transcript.messages.at(-1)!;
    message.bytes = Buffer.concat([message.bytes, bytes]);
    message.whole = piece.last;
    if (piece.refused === true) message.refused = true;
    this.#open = !piece.last;
    transcript.pieceBytes += bytes.length;
  }

  #begin(piece: Piece): ReadMessage {
    const { message } = piece;
    const turn = this.#turn;
    const { tell, change, sent, late = false } = this.#options;
    if (message === undefined) return { ...blank(piece, turn), told: undefined };
    change?.(message);
    sent?.(message, turn);
    if (!late) {
      const told = tell(message);
      piece.encode?.();
      return { ...blank(piece, turn), told };
    }
    (message as Partial<Detachable>).detach?.();
    const read = { ...blank(piece, turn), told: '' };
    this.#late.push(() => (read.told = tell(message)));
    piece.encode?.();
    return read;
  }
}

function blank({ answers }: Piece, turn: number): Omit<ReadMessage, 'told'> {
  return { bytes: NONE, whole: false, refused: false, answers, turn };
}

/** What is wrong with a piece on its face. */
function faultOf(piece: Piece, open: boolean, none: boolean): string | undefined {
  const { bytes, offset, length, first, answers, message } = piece;
  if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
    return `a piece from ${offset}, ${length} bytes long, lies outside its ${bytes.length} bytes`;
  }
  if (!first && none) return 'the first piece of a connection does not have first set';
  if (!first && !open) return 'a piece without first follows one with last, or a gap';
  if (!first && answers !== 0) return 'a piece without first has answers';
  if (!first && message !== undefined) return 'a piece without first has a message';
  return undefined;
}
