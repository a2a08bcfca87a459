/**
 * Speaks HTTP in the shapes that make trouble, run as a process of its own inside a host:
 *
 *     node --import tsx shapes-client.ts '{"address":"10.77.1.1","shapes":["pipelined"],"rounds":5}'
 *
 * One connection per shape and round, all at once. Prints how many requests were answered, as one JSON line. Every request
 * has an id of its own; its bytes come from nothing but that.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface ShapesOptions {
  readonly address: string;
  readonly shapes: readonly ShapeName[];
  readonly rounds: number;
  /** Bytes of the bodies of `large` and `largeChunked`. */
  readonly largeBody: number;
  readonly tag: string;
}

export interface ShapesResult {
  readonly answered: number;
}

export type ShapeName = keyof typeof SHAPES;

const HOST = 'Host: online.example';
/** How many large bodies follow one another on a connection. */
const UPLOADS = 5;
/** What large bodies are made of: a multiple of this. */
const CHUNK = 50_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let count = 0;
let answered = 0;

class Conversation {
  readonly #socket: Socket;
  readonly #tag: string;
  #received = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #closed = false;

  static async open(options: ShapesOptions): Promise<Conversation> {
    const socket = connect({ host: options.address, port: 80, noDelay: true });
    await once(socket, 'connect');
    return new Conversation(socket, options.tag);
  }

  private constructor(socket: Socket, tag: string) {
    this.#socket = socket;
    this.#tag = tag;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
    });
  }

  /** A head; its id is in the target. */
  head(line: string, ...fields: string[]): string {
    count += 1;
    const [method, path, version = 'HTTP/1.1'] = line.split(' ');
    const lines = fields.some((field) => /^host *:/i.test(field)) ? fields : [HOST, ...fields];
    return [`${method} ${path}?id=${this.#tag}${count} ${version}`, ...lines, '', ''].join('\r\n');
  }

  async send(bytes: string | Buffer): Promise<void> {
    if (!this.#socket.write(bytes, 'latin1')) await once(this.#socket, 'drain');
  }

  /** The same in pieces of `size`, each a segment. */
  async sendCut(text: string, size: number): Promise<void> {
    for (let at = 0; at < text.length; at += size) {
      await this.send(text.slice(at, at + size));
      await pause(2);
    }
  }

  /** The same bytes `times` times, at about 15 MB/s: a copy on a busy machine can follow. */
  async sendSlowly(bytes: Buffer, times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      await this.send(bytes);
      await pause(3);
    }
  }

  /** Reads one response; its status. `bodiless`: it answers HEAD. */
  async response(bodiless = false): Promise<number> {
    const end = await this.#until(() => this.#received.indexOf('\r\n\r\n'));
    const head = this.#received.toString('latin1', 0, end);
    const length = bodiless ? 0 : Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    await this.#until(() => (this.#received.length >= end + 4 + length ? 0 : -1));
    this.#received = this.#received.subarray(end + 4 + length);
    const status = Number(head.slice(9, 12));
    if (status >= 200 || status === 101) answered += 1;
    if (status >= 300) throw new Error(head);
    return status;
  }

  /** Sends bytes through a tunnel, and waits for them to come back. */
  async echo(bytes: Buffer): Promise<void> {
    await this.send(bytes);
    await this.#until(() => (this.#received.length >= bytes.length ? 0 : -1));
    this.#received = this.#received.subarray(bytes.length);
  }

  end(): void {
    this.#socket.end();
  }

  async #until(probe: () => number): Promise<number> {
    for (let found = probe(); ; found = probe()) {
      if (found >= 0) return found;
      if (this.#closed) throw new Error('closed by the server');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

const SHAPES = {
  async keepAlive(c: Conversation) {
    for (let i = 0; i < 4; i++) {
      await c.send(c.head('GET /1k', `X-Field:  ${i} \t`, 'x-empty:', 'X-Latin: \xe4'));
      await c.response();
    }
  },
  async pipelined(c: Conversation) {
    const five = () => Array.from({ length: 5 }, (_, i) => c.head(i === 3 ? 'GET /100k' : 'GET /1k')).join('');
    await c.send(`${five()}${c.head('POST /post', 'Content-Length: 11')}hello world`);
    for (let i = 0; i < 6; i++) await c.response();
    await c.sendCut(`${c.head('POST /upload', 'Content-Length: 5')}12345\r\n${five()}`, 37);
    for (let i = 0; i < 6; i++) await c.response();
  },
  async chunked(c: Conversation) {
    const body = `5;name="a;b"\r\nhello\r\n000A\r\n0123456789\r\n1\r\n!\r\n0\r\nX-Trailer: t\r\nX-Other:  u \r\n\r\n`;
    await c.send(c.head('POST /upload', 'Transfer-Encoding: chunked', 'Trailer: X-Trailer') + body);
    await c.response();
    await c.sendCut(c.head('POST /upload', 'transfer-encoding:Chunked') + body + c.head('GET /1k'), 11);
    await c.response();
    await c.response();
    const many = Array.from({ length: 200 }, (_, i) => `${(i + 1).toString(16)}\r\n${'c'.repeat(i + 1)}\r\n`).join('');
    await c.send(`${c.head('POST /upload', 'Transfer-Encoding: chunked')}${many}0\r\n\r\n`);
    await c.response();
  },
  async expect(c: Conversation) {
    for (const framing of ['Content-Length: 9', 'Transfer-Encoding: chunked']) {
      await c.send(c.head('PUT /upload', framing, 'Expect: 100-continue'));
      if ((await c.response()) !== 100) throw new Error('no 100 Continue');
      await c.sendCut(framing.startsWith('C') ? 'some body' : '9\r\nsome body\r\n0\r\n\r\n', 4);
      await c.response();
    }
    await c.send(`${c.head('PUT /upload', 'Expect: 100-continue', 'Content-Length: 2')}ab`);
    if ((await c.response()) === 100) await c.response();
    await c.send(c.head('GET /1k'));
    await c.response();
  },
  async bodiless(c: Conversation) {
    await c.send(c.head('HEAD /100k') + c.head('GET /1k') + c.head('HEAD /1k') + c.head('GET /none'));
    await c.response(true);
    await c.response();
    await c.response(true);
    await c.response();
    await c.send(c.head('HEAD /1k'));
    await c.response(true);
    await c.send(c.head('OPTIONS /post'));
    await c.response();
  },
  async closing(c: Conversation) {
    await c.send(c.head('GET /1k'));
    await c.response();
    await c.send(c.head('GET /1k', 'Connection: close'));
    await c.response();
  },
  async old(c: Conversation) {
    await c.send(c.head('GET /1k HTTP/1.0', 'Connection: keep-alive'));
    await c.response();
    await c.send(c.head('GET /1k HTTP/1.0', 'hOsT:  online.example', 'X-Field: a  '));
    await c.response();
  },
  async absolute(c: Conversation) {
    await c.send(c.head('GET http://online.example/1k'));
    await c.response();
    await c.send(`\r\n${c.head('GET /1k').replace(' ', '  ')}`);
    await c.response();
  },
  async tunnel(c: Conversation) {
    await c.send(c.head('GET /tunnel', 'Connection: Upgrade', 'Upgrade: echo'));
    await c.response();
    for (const length of [1, 20, 3_000, 40_000]) await c.echo(Buffer.alloc(length, `\x81\0\r\n${length}`));
  },
  async refusedUpgrade(c: Conversation) {
    await c.send(c.head('GET /1k', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'));
    await c.response();
    await c.send(c.head('GET /1k') + c.head('GET /1k'));
    await c.response();
    await c.response();
    await c.send(`${c.head('POST /post', 'Connection: Upgrade', 'Upgrade: h2c', 'Content-Length: 3')}abc`);
    await c.response();
    await c.send(c.head('GET /1k'));
    await c.response();
  },
  async large(c: Conversation, { largeBody }: ShapesOptions) {
    for (let i = 0; i < UPLOADS; i++) {
      await c.send(c.head('POST /upload', `Content-Length: ${largeBody}`));
      await c.sendSlowly(Buffer.alloc(CHUNK, `large${count}`), largeBody / CHUNK);
      await c.response();
    }
  },
  async largeChunked(c: Conversation, { largeBody }: ShapesOptions) {
    for (let i = 0; i < UPLOADS; i++) {
      await c.send(c.head('POST /upload', 'Transfer-Encoding: chunked'));
      const content = Buffer.alloc(CHUNK, `chunk${count}`);
      const chunk = Buffer.concat([Buffer.from(`${CHUNK.toString(16)}\r\n`), content, Buffer.from('\r\n')]);
      await c.sendSlowly(chunk, largeBody / CHUNK);
      await c.send('0\r\n\r\n');
      await c.response();
    }
  },
} satisfies Record<string, (c: Conversation, options: ShapesOptions) => Promise<void>>;

const options = JSON.parse(process.argv[2]!) as ShapesOptions;
const lanes = options.shapes.flatMap((shape) => Array.from({ length: options.rounds }, () => shape));
await Promise.all(
  lanes.map(async (shape) => {
    const conversation = await Conversation.open(options);
    try {
      await SHAPES[shape](conversation, options);
    } catch (error) {
      throw new Error(`${shape}: ${(error as Error).message}`, { cause: error });
    }
    conversation.end();
  }),
);
console.log(JSON.stringify({ answered } satisfies ShapesResult));
