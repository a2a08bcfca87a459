/**
 * A target that misbehaves, run as a process of its own inside a host:
 *
 *     node --import tsx faulty-server.ts '{"port":80,"mode":"hang"}'
 *
 * `hang` accepts, reads and never answers; `zero-window` accepts and never reads; `reset` aborts a connection when it
 * has received `after` bytes; `close` shuts it properly at the first data, unanswered. (A target that refuses is a
 * host on which nothing listens.) SIGTERM prints what was seen as one JSON line.
 */
import { createServer } from 'node:net';

export interface FaultyServerOptions {
  readonly port: number;
  readonly mode: 'hang' | 'zero-window' | 'reset' | 'close';
  readonly after?: number;
}

const options = JSON.parse(process.argv[2]!) as FaultyServerOptions;
let accepted = 0;
let received = 0;

createServer({ pauseOnConnect: options.mode === 'zero-window' }, (socket) => {
  accepted += 1;
  let bytes = 0;
  socket.on('error', () => undefined);
  if (options.mode === 'zero-window') return;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    received += chunk.length;
    if (options.mode === 'reset' && bytes >= (options.after ?? 1)) socket.resetAndDestroy();
    if (options.mode === 'close') socket.end();
  });
}).listen({ port: options.port, host: '::', backlog: 8192 });

process.on('SIGTERM', () => {
  console.log(JSON.stringify({ accepted, received }));
  process.exit(0);
});
