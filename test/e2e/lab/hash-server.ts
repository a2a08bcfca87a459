/**
 * A server that takes any bytes, run as a process of its own inside a host:
 *
 *     node --import tsx hash-server.ts '{"port":80,"records":"/dir/hashes.jsonl"}'
 *
 * It greets, answers each read with two bytes, and appends `{"bytes":n,"sha256":"…"}` for each connection that ends.
 */
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:net';

export interface HashServerOptions {
  readonly port: number;
  readonly records: string;
}

const { port, records } = JSON.parse(process.argv[2]!) as HashServerOptions;

createServer({ noDelay: true }, (socket) => {
  const hash = createHash('sha256');
  let bytes = 0;
  socket.write('hello');
  socket.on('data', (chunk) => {
    hash.update(chunk);
    bytes += chunk.length;
    socket.write('ok');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => appendFileSync(records, `${JSON.stringify({ bytes, sha256: hash.digest('hex') })}\n`));
}).listen({ port, host: '::', backlog: 8192 });
