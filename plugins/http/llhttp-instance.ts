/**
 * The one WebAssembly instance of llhttp: its functions, the window of its memory through which bytes are fed, and the way
 * its callbacks take to the parser that runs.
 */
import wasm from 'undici/lib/llhttp/llhttp-wasm.js';

/** Bytes copied into WebAssembly memory at a time. */
const WINDOW = 8192;
/** QUERY, the last method of llhttp 9.3. Its look-up aborts for a number beyond. */
const LAST_METHOD = 46;

interface Llhttp {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(size: number): number;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_reset(parser: number): void;
  llhttp_resume(parser: number): void;
  llhttp_execute(parser: number, data: number, length: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_get_http_major(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_errno_name(code: number): number;
  llhttp_method_name(method: number): number;
}

/** What llhttp reports while it runs. Starts are counted from the first byte of the message. */
export interface ParserEvents {
  /** The request target, or the reason phrase; like all spans it may come in several parts. */
  onLine(start: number, length: number): void;
  onField(start: number, length: number): void;
  onValue(start: number, length: number): void;
  onBody(start: number, length: number): void;
  /** Both return 0, or llhttp's number for a pause. */
  onHeadersComplete(status: number, upgrade: boolean, keepAlive: boolean): number;
  onMessageComplete(): number;
}

let instance: Llhttp | undefined;
let methodNames: readonly string[] | undefined;
let inputs = 0;
/** The parser that runs, and the message offset that address 0 would have. */
let current: ParserEvents | undefined;
let origin = 0;

const CALLBACKS = {
  wasm_on_message_begin: () => 0,
  wasm_on_url: (_parser: number, at: number, length: number) => (current!.onLine(origin + at, length), 0),
  wasm_on_status: (_parser: number, at: number, length: number) => (current!.onLine(origin + at, length), 0),
  wasm_on_header_field: (_parser: number, at: number, length: number) => (current!.onField(origin + at, length), 0),
  wasm_on_header_value: (_parser: number, at: number, length: number) => (current!.onValue(origin + at, length), 0),
  wasm_on_headers_complete: (_parser: number, status: number, upgrade: number, keepAlive: number) =>
    current!.onHeadersComplete(status, upgrade === 1, keepAlive === 1),
  wasm_on_body: (_parser: number, at: number, length: number) => (current!.onBody(origin + at, length), 0),
  wasm_on_message_complete: () => current!.onMessageComplete(),
};

/** Made when it is first needed: a run without HTTP does not pay for it. */
export function llhttp(): Llhttp {
  instance ??= new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: CALLBACKS }).exports as unknown as Llhttp;
  return instance;
}

/** Runs a parser over bytes in WebAssembly memory, the first of which is `fed` bytes into the message. */
export function execute(events: ParserEvents, parser: number, address: number, length: number, fed: number): number {
  current = events;
  origin = fed - address;
  return llhttp().llhttp_execute(parser, address, length);
}

/** A name for bytes about to be fed. Bytes that change, in place too, need a new one. */
export function nextInput(): number {
  return ++inputs;
}

/** The stretch of input that lies in WebAssembly memory. */
export const inputWindow = {
  /** Where it ends in the bytes that were loaded. */
  end: 0,
  start: 0,
  input: 0,
  address: 0,
  heap: new Uint8Array(0),

  /** Makes the byte at `at` present, and as many after it as fit; returns its address. */
  load(input: number, bytes: Uint8Array, at: number, to: number): number {
    if (input === this.input && at >= this.start && at < this.end) return this.address + (at - this.start);
    const wasm = llhttp();
    if (this.address === 0) this.address = wasm.malloc(WINDOW);
    // Memory that grows gets a new buffer, and views of the old one are empty.
    if (this.heap.length === 0) this.heap = new Uint8Array(wasm.memory.buffer);
    this.start = at;
    this.end = Math.min(to, at + WINDOW);
    this.input = input;
    this.heap.set(bytes.subarray(at, this.end), this.address);
    return this.address;
  },
};

/** What llhttp calls the method of this number. */
export function methodName(method: number): string {
  return knownMethods()[method] ?? '';
}

/** The names of all methods llhttp knows, by its numbers. */
export function knownMethods(): readonly string[] {
  return (methodNames ??= Array.from({ length: LAST_METHOD + 1 }, readMethodName));
}

function readMethodName(_: unknown, method: number): string {
  return text(llhttp().llhttp_method_name(method));
}

/** `HPE_INVALID_METHOD` → `invalid-method`. */
export function failureName(code: number): string {
  return text(llhttp().llhttp_errno_name(code)).replace(/^HPE_/, '').toLowerCase().replaceAll('_', '-');
}

function text(address: number): string {
  const heap = new Uint8Array(llhttp().memory.buffer);
  return Buffer.from(heap.subarray(address, heap.indexOf(0, address))).toString('latin1');
}
