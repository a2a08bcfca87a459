/** A protocol of lines, read soundly or with one chosen fault: what conformance checks have to find. */
import {
  definePlugin,
  type ClientBytes,
  type Codec,
  type Piece,
  type Plugin,
  type ResponseReader,
} from 'tcpcopy/plugin';
import { instant } from '../../../src/core/time.ts';

export const FAULTS = {
  none: [],
  'segments are messages': [
    'byte by byte',
    'cut in two anywhere',
    'cut at random',
    'segments reordered and retransmitted',
  ],
  'forgets half a line': ['byte by byte', 'cut in two anywhere'],
  'keeps a view': ['looked at after its bytes are gone'],
  'sends a line end too many': ['turn by turn'],
  'loses bytes': ['ended anywhere'],
  'goes on after a gap': ['with bytes missing', 'segments lost'],
  'begins anywhere': ['picked up in the middle'],
  'never resumes': ['with bytes missing', 'picked up in the middle'],
  'makes up the end': ['ended anywhere'],
  'needs the line end last': ['with trailing bytes'],
  'no first': ['turn by turn'],
  'lies about gaps': ['with bytes missing'],
  'throws on one byte': ['byte by byte'],
  'detects too late': ['recognised by its first bytes'],
  'detects beyond': ['recognised by its first bytes'],
  'cannot take back': ['changed'],
  'writes what it cannot read': ['changed'],
  'answers by segment': ['responses byte by byte'],
  'answers twice': ['responses turn by turn'],
  'keeps a view of answers': ['responses turn by turn'],
} as const satisfies Record<string, readonly string[]>;

export type Fault = keyof typeof FAULTS;

/** `text` is what the codec read; `set` changes it. */
export class Line {
  readonly #bytes: Uint8Array;
  readonly #fault: Fault;
  #other: string | undefined;

  constructor(bytes: Uint8Array, fault: Fault) {
    this.#bytes = fault === 'keeps a view' ? bytes : bytes.slice();
    this.#fault = fault;
  }

  get text(): string {
    return this.#other ?? Buffer.from(this.#bytes).toString('latin1').trimEnd();
  }

  set text(text: string) {
    this.#other = text;
  }

  get written(): string | undefined {
    const { text } = this;
    if (this.#fault === 'sends a line end too many') return `${text}\n\n`;
    if (this.#other === undefined) return undefined;
    return this.#fault === 'writes what it cannot read' ? `${text}\nrest\n` : `${text}\n`;
  }

  checkpoint(): unknown {
    return this.#other;
  }

  revert(to: unknown): void {
    if (this.#fault !== 'cannot take back') this.#other = to as string | undefined;
  }
}

class LineCodec implements Codec {
  readonly protocol = 'lines';
  skippedBytes = 0;
  skippedMessages = 0;
  readonly #fault: Fault;
  #held: Uint8Array = new Uint8Array(0);
  #inStep: boolean;
  #over = false;

  constructor(fault: Fault, fromBoundary: boolean) {
    this.#fault = fault;
    this.#inStep = fromBoundary || fault === 'begins anywhere';
    this.#over = fault === 'never resumes' && !fromBoundary;
  }

  push({ bytes, offset, length, serverBytesSeen }: ClientBytes): void {
    if (this.#is('throws on one byte') && length === 1) throw new RangeError('one byte');
    const given = bytes.subarray(offset, offset + length);
    if (serverBytesSeen > 0 && !this.#over) this.#inStep = true;
    this.#held = this.#is('keeps a view') && this.#held.length === 0 ? given : Buffer.concat([this.#held, given]);
  }

  next(): Piece | undefined {
    for (;;) {
      const length = this.#lineLength();
      if (length === 0) return undefined;
      const bytes = this.#held.subarray(0, length);
      this.#held = this.#held.subarray(length);
      if (this.#inStep) return this.#piece(bytes);
      this.#skip(length);
      this.#inStep = !this.#over && bytes.at(-1) === 10;
    }
  }

  gap(length: number): boolean {
    if (this.#is('goes on after a gap')) {
      this.skippedBytes += length;
      return false;
    }
    this.#skip(this.#held.length + length);
    this.#held = new Uint8Array(0);
    this.#inStep = false;
    this.#over = this.#is('never resumes');
    return this.#is('lies about gaps');
  }

  end(): void {
    if (this.#is('makes up the end')) this.#held = Buffer.from(`${Buffer.from(this.#held).toString()}\n`);
    else if (!this.#is('loses bytes')) this.#skip(this.#held.length);
    if (!this.#is('makes up the end')) this.#held = new Uint8Array(0);
  }

  #is(fault: Fault): boolean {
    return this.#fault === fault;
  }

  /** How long the next line is; 0: it is not there yet. */
  #lineLength(): number {
    const held = this.#held;
    if (this.#is('segments are messages') || !this.#inStep) {
      const end = held.indexOf(10) + 1;
      return end > 0 && !this.#is('segments are messages') ? end : held.length;
    }
    if (this.#is('needs the line end last')) return held.at(-1) === 10 ? held.indexOf(10) + 1 : 0;
    const length = held.indexOf(10) + 1;
    if (length > 0 || !this.#is('forgets half a line')) return length;
    this.#skip(held.length);
    this.#held = new Uint8Array(0);
    return 0;
  }

  #piece(bytes: Uint8Array): Piece {
    const message = new Line(bytes, this.#fault);
    const first = !this.#is('no first');
    const piece = { bytes, offset: 0, length: bytes.length, time: instant(0), first, last: true, answers: 0, message };
    const encode = (): void => {
      const { written } = message;
      if (written === undefined) return;
      piece.bytes = Buffer.from(written, 'latin1');
      piece.length = written.length;
    };
    return Object.assign(piece, { encode });
  }

  #skip(length: number): void {
    if (length > 0) this.skippedMessages++;
    this.skippedBytes += length;
  }
}

class AnswerReader implements ResponseReader {
  reading = true;
  readonly failure = undefined;
  readonly #fault: Fault;
  #held: Uint8Array = new Uint8Array(0);

  constructor(fault: Fault) {
    this.#fault = fault;
  }

  sent(): boolean {
    return true;
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    const given = bytes.subarray(offset, offset + length);
    const view = this.#fault === 'keeps a view of answers' && this.#held.length === 0;
    this.#held = view ? given : Buffer.concat([this.#held, given]);
  }

  next() {
    const end = this.#held.indexOf(10) + 1;
    const length = this.#fault === 'answers by segment' ? this.#held.length : end;
    if (length === 0) return undefined;
    const message = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return { message, completes: this.#fault !== 'answers twice' || message[0] !== 0x2b };
  }

  end(): void {
    this.reading = false;
  }
}

export function lines(fault: Fault): Plugin {
  return definePlugin({
    name: 'lines',
    description: 'Reads lines.',
    apply(hooks) {
      hooks.provide(
        'lines' as never,
        {
          hooks: { line: { role: 'request', payload: 'Line', moment: 'Each line.', nothing: 'It is sent.' } },
          detect(bytes: Uint8Array, offset: number, length: number) {
            if (fault === 'detects too late') return length < 2 ? 'no' : 'yes';
            return fault === 'detects beyond' && bytes[offset + length] === 0xff ? 'no' : 'more';
          },
          codec: (_connection: unknown, fromBoundary: boolean) => new LineCodec(fault, fromBoundary),
          responses: () => new AnswerReader(fault),
        } as never,
      );
    },
  });
}
