/**
 * A server that remembers what it was sent, run as a process of its own inside a host:
 *
 *     node --import tsx recording-server.ts '{"port":80,"records":"/dir/records.jsonl", …}'
 *
 * HTTP: bodies by Content-Length, pipelining, 200 with `responseBytes`; an Upgrade is agreed to, and what follows it is
 * sent back. Opaque: an invented protocol, 4 bytes of length
 * and that many bytes, answered with the first 16 bytes of their sha256; with `greeting` the server speaks first.
 * Each request is appended to the records file as a `RequestRecord`; each closed connection as
 * `{"closed":connection,"bytes":n,"sha256":"…"}`.
 */
import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { createServer, type Socket } from 'node:net';

export interface RecordingServerOptions {
  readonly port: number;
  readonly records: string;
  readonly protocol: 'http' | 'opaque';
  readonly responseBytes?: number;
  readonly greeting?: string;
  /** Milliseconds before each answer. */
  readonly delay?: number;
}

const options = JSON.parse(process.argv[2]!) as RecordingServerOptions;
const records = createWriteStream(options.records, { flags: 'a' });
const write = (record: object) => records.write(`${JSON.stringify(record)}\n`);
let connections = 0;

/** Length of the request at the head of `data`, or undefined while that is unknown. */
function requestLength(data: Buffer): number | undefined {
  if (options.protocol === 'opaque') return data.length < 4 ? undefined : 4 + data.readUInt32BE(0);
  const end = data.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /^content-length: *(\d+)/im.exec(data.toString('latin1', 0, end))?.[1] ?? '0';
  return end + 4 + Number(length);
}

function idOf(head: Buffer, sha256: string): string {
  if (options.protocol === 'opaque') return sha256;
  return /[?&]id=([^& ]*)/.exec(head.toString('latin1', 0, Math.min(head.length, 512)))?.[1] ?? '';
}

function isUpgrade(head: Buffer): boolean {
  return options.protocol === 'http' && /^upgrade: *\S/im.test(head.toString('latin1'));
}

function answer(socket: Socket, sha256: string): void {
  if (options.protocol === 'opaque') socket.write(Buffer.from(sha256, 'hex').subarray(0, 16));
  else {
    const body = 'y'.repeat(options.responseBytes ?? 20);
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nX-Sha256: ${sha256}\r\n\r\n${body}`);
  }
}

/** The request being received: its head until the length is known, then only a hash and a count. */
interface Pending {
  head: Buffer;
  left: number;
  hash: Hash | undefined;
}

const fresh = (): Pending => ({ head: Buffer.alloc(0), left: 0, hash: undefined });

createServer((socket) => {
  const connection = String((connections += 1));
  const whole = createHash('sha256');
  let bytes = 0;
  let pending = fresh();
  let tunnel = false;
  const finish = () => {
    const sha256 = pending.hash!.digest('hex');
    write({ connection, id: idOf(pending.head, sha256), fingerprint: sha256, at: Date.now() });
    tunnel = isUpgrade(pending.head);
    pending = fresh();
    if (tunnel) socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    else if (options.delay === undefined) answer(socket, sha256);
    else setTimeout(() => answer(socket, sha256), options.delay);
  };
  const feed = (chunk: Buffer) => {
    let rest = chunk;
    while (rest.length > 0) {
      if (tunnel) {
        socket.write(rest);
        return;
      }
      if (pending.hash === undefined) {
        const before = pending.head.length;
        pending.head = Buffer.concat([pending.head, rest]);
        const length = requestLength(pending.head);
        if (length === undefined) return;
        const all = pending.head;
        const take = Math.min(length, all.length);
        pending.hash = createHash('sha256').update(all.subarray(0, take));
        pending.left = length - take;
        pending.head = Buffer.from(all.subarray(0, Math.min(take, 512)));
        rest = rest.subarray(take - before);
      } else {
        const take = Math.min(pending.left, rest.length);
        pending.hash.update(rest.subarray(0, take));
        pending.left -= take;
        rest = rest.subarray(take);
      }
      if (pending.left === 0) finish();
    }
  };
  if (options.greeting !== undefined) socket.write(options.greeting);
  socket.on('data', (chunk: Buffer) => {
    whole.update(chunk);
    bytes += chunk.length;
    feed(chunk);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => write({ closed: connection, bytes, sha256: whole.digest('hex') }));
}).listen({ port: options.port, host: '::', backlog: 8192 });

process.on('SIGTERM', () => records.end(() => process.exit(0)));
