/**
 * A load generator for what wrk cannot do, run as a process of its own inside a host:
 *
 *     node --import tsx load-client.ts '{"address":"10.77.1.1","port":80, …}'
 *
 * Open loop: requests fall due at `rate` per second and wait for a free connection. One request at a time per
 * connection. Prints its result as one JSON line. Choices (sizes, chunks) come from a seed.
 */
import { createHash, randomFillSync } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface LoadClientOptions {
  readonly address: string;
  readonly port: number;
  readonly protocol: 'http' | 'opaque';
  readonly connections: number;
  /** Requests in all. */
  readonly requests: number;
  /** Requests per second; 0: as fast as answers come. */
  readonly rate: number;
  /** After this many requests a connection is replaced; 0: never. */
  readonly perConnection: number;
  /** Bytes of body: with it HTTP requests are POSTs. */
  readonly body: number;
  /** Writes are cut into this many pieces at random places, with a pause between. */
  readonly pieces: number;
  readonly path: string;
  readonly tag: string;
  readonly seed: number;
  /** The server speaks first; wait for this many bytes. */
  readonly greeting: number;
  /** Ends of connections: `close` shuts them properly, `reset` aborts them. */
  readonly end: 'close' | 'reset';
}

export interface LoadClientResult {
  readonly sent: number;
  readonly answered: number;
  readonly errors: string[];
}

const o = JSON.parse(process.argv[2]!) as LoadClientOptions;
let state = o.seed | 1;
/** xorshift32: seeded, so that a run can be repeated. */
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

const filler = randomFillSync(Buffer.alloc(Math.max(o.body, 64)));
let sent = 0;
let answered = 0;
let lost = 0;
const errors: string[] = [];
const idle: Lane[] = [];

function makeRequest(n: number): Buffer {
  const check = createHash('sha256').update(`${o.tag}${n}`).digest('hex');
  // The id makes each body differ from every other.
  const body = Buffer.from(filler.subarray(0, o.body));
  body.write(check.slice(0, o.body), 0, 'latin1');
  if (o.protocol === 'opaque') {
    const text = Buffer.concat([Buffer.from(`${o.tag}${n}:`), body]);
    const frame = Buffer.alloc(4 + text.length);
    frame.writeUInt32BE(text.length, 0);
    text.copy(frame, 4);
    return frame;
  }
  const method = o.body > 0 ? 'POST' : 'GET';
  const length = o.body > 0 ? `Content-Length: ${o.body}\r\n` : '';
  const head = `${method} ${o.path}?id=${o.tag}${n} HTTP/1.1\r\nHost: online.example\r\nX-Check: ${check}\r\n${length}\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** Bytes of the answer at the head of `data`, or undefined while that is unknown. */
function answerLength(data: Buffer): number | undefined {
  if (o.protocol === 'opaque') return 16;
  const end = data.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /content-length: *(\d+)/i.exec(data.toString('latin1', 0, end));
  return end + 4 + Number(length?.[1] ?? 0);
}

/** One connection's place: when its connection ends, another takes over. */
class Lane {
  #socket: Socket | undefined;
  #used = 0;
  #waiting = false;
  #head = Buffer.alloc(0);
  #left: number | undefined;
  #greetingLeft = 0;
  #onGreeted: (() => void) | undefined;

  send(request: Buffer): void {
    const socket = this.#socket ?? this.#open();
    this.#waiting = true;
    this.#used += 1;
    if (this.#greetingLeft > 0) this.#onGreeted = () => write(socket, request);
    else write(socket, request);
  }

  end(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#used = 0;
    if (o.end === 'reset') socket?.resetAndDestroy();
    else socket?.end();
  }

  #open(): Socket {
    const socket = connect({ host: o.address, port: o.port, noDelay: true });
    this.#socket = socket;
    this.#greetingLeft = o.greeting;
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('error', (error) => {
      if (errors.length < 10) errors.push(error.message);
    });
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#used = 0;
      if (!this.#waiting) return;
      lost += 1;
      this.#free();
    });
    return socket;
  }

  #received(chunk: Buffer): void {
    let data = chunk;
    if (this.#greetingLeft > 0) {
      const take = Math.min(this.#greetingLeft, data.length);
      this.#greetingLeft -= take;
      if (this.#greetingLeft > 0) return;
      this.#onGreeted?.();
      data = data.subarray(take);
    }
    if (data.length === 0) return;
    if (this.#left === undefined) {
      this.#head = Buffer.concat([this.#head, data]);
      const length = answerLength(this.#head);
      if (length === undefined) return;
      this.#left = length - this.#head.length;
    } else this.#left -= data.length;
    if (this.#left > 0) return;
    answered += 1;
    if (this.#used === o.perConnection) this.end();
    this.#free();
  }

  #free(): void {
    this.#waiting = false;
    this.#head = Buffer.alloc(0);
    this.#left = undefined;
    idle.push(this);
    pump();
  }
}

function write(socket: Socket, request: Buffer): void {
  if (o.pieces <= 1) {
    socket.write(request);
    return;
  }
  const cuts = Array.from({ length: o.pieces - 1 }, () => Math.floor(random() * request.length)).sort((a, b) => a - b);
  const edges = [0, ...cuts, request.length];
  const step = (i: number) => {
    if (socket.destroyed || i >= edges.length - 1) return;
    socket.write(request.subarray(edges[i], edges[i + 1]));
    setTimeout(step, random() * 3, i + 1);
  };
  step(0);
}

const begin = performance.now();

function pump(): void {
  const due = o.rate === 0 ? o.requests : Math.min(o.requests, ((performance.now() - begin) / 1000) * o.rate);
  while (sent < due && idle.length > 0) {
    const lane = idle.shift()!;
    sent += 1;
    lane.send(makeRequest(sent));
  }
  if (answered + lost === o.requests) finish();
}

function finish(): void {
  clearInterval(ticker);
  for (const lane of idle) lane.end();
  console.log(JSON.stringify({ sent, answered, errors } satisfies LoadClientResult));
}

for (let i = 0; i < o.connections; i += 1) idle.push(new Lane());
const ticker = setInterval(pump, 2);
pump();
