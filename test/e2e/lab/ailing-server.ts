/**
 * An HTTP target that is well at first, ill from SIGUSR1 on, and well again from SIGUSR2 on:
 *
 *     node --import tsx ailing-server.ts '{"port":80,"illness":"hang"}'
 *
 * `hang` answers nobody, `slow` 150 requests a second in all, `error` with 503, `reset` by breaking off. When it gets well
 * it answers everything that waits. SIGTERM prints what was seen as one JSON line.
 */
import { createServer, type Socket } from 'node:net';

export interface AilingServerOptions {
  readonly port: number;
  readonly illness: 'hang' | 'slow' | 'error' | 'reset';
}

export interface AilingServerResult {
  readonly requests: number;
  /** Requests that came after it was well again. */
  readonly afterwards: number;
  /** Connections open at once, at most. */
  readonly most: number;
}

const { port, illness } = JSON.parse(process.argv[2]!) as AilingServerOptions;
const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n';
const BAD = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\nno\n';
const SLOW_EVERY_MS = 20;
const SLOW_AT_ONCE = 3;

let state: 'well' | 'ill' | 'well again' = 'well';
const waiting: Socket[] = [];
const result = { requests: 0, afterwards: 0, most: 0 };
let open = 0;

function answer(socket: Socket, text = GOOD): void {
  if (socket.writable) socket.write(text);
}

function received(socket: Socket): void {
  result.requests++;
  if (state === 'well again') result.afterwards++;
  if (state !== 'ill') answer(socket);
  else if (illness === 'error') answer(socket, BAD);
  else if (illness === 'reset') socket.resetAndDestroy();
  else waiting.push(socket);
}

createServer((socket) => {
  result.most = Math.max(result.most, ++open);
  let head = '';
  socket.on('error', () => undefined);
  socket.on('close', () => open--);
  socket.on('data', (chunk) => {
    const heads = (head + chunk.toString('latin1')).split('\r\n\r\n');
    head = heads.pop()!;
    for (let i = 0; i < heads.length; i++) received(socket);
  });
}).listen({ port, host: '::', backlog: 8192 });

if (illness === 'slow') {
  setInterval(() => waiting.splice(0, SLOW_AT_ONCE).forEach((socket) => answer(socket)), SLOW_EVERY_MS);
}
process.on('SIGUSR1', () => (state = 'ill'));
process.on('SIGUSR2', () => {
  state = 'well again';
  for (const socket of waiting.splice(0)) answer(socket);
});
process.on('SIGTERM', () => {
  console.log(JSON.stringify(result satisfies AilingServerResult));
  process.exit(0);
});
