/** What tests of the control channel start, and what is stopped again after each of them. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import { ClientHandshake } from '../../../src/control/client-handshake.ts';
import { Decoder } from '../../../src/control/decoder.ts';
import type { Message } from '../../../src/control/messages.ts';
import { MAX_MESSAGE, WELCOME } from '../../../src/control/protocol.ts';
import { hmacSha256 } from '../../../src/intercept/hmac.ts';
import { HOST, LabIntercept, LabLink, until } from './lab.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Has something done after the test, before what was asked for earlier. */
export function afterTest(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

export async function startIntercept(...options: Parameters<typeof LabIntercept.start>): Promise<LabIntercept> {
  const lab = await LabIntercept.start(...options);
  afterTest(() => lab.intercept.stop());
  return lab;
}

export function makeLink(port: number, options?: ConstructorParameters<typeof LabLink>[1]): LabLink {
  const link = new LabLink(port, options);
  afterTest(() => link.link.close());
  return link;
}

/** Something else on a port of loopback. */
export async function serve(accept: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(accept);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  afterTest(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A hand-made tcpcopy that shakes hands and then does only what the test says. */
export async function rawPeer(port: number, id: number): Promise<{ socket: Socket; received: Message[] }> {
  const socket = connect(port, HOST);
  afterTest(() => socket.destroy());
  const nonce = new Uint8Array(32);
  const instanceId = new Uint8Array(8).fill(id);
  const handshake = new ClientHandshake(
    { instanceId, connectionIndex: 0, connections: 1, key: undefined, software: 'raw', nonce },
    hmacSha256,
  );
  const received: Message[] = [];
  const decoder = new Decoder();
  decoder.maxMessage = MAX_MESSAGE;
  socket.on('data', (chunk) => {
    decoder.push(chunk);
    for (let m = decoder.next(); m !== undefined; m = decoder.next()) received.push(m);
  });
  socket.on('error', () => undefined);
  socket.write(handshake.hello());
  await until(() => received.some((m) => m.type === WELCOME), 'WELCOME');
  return { socket, received };
}
