/** A server on loopback that keeps a hash of every connection's bytes, and answers each read with a few of its own. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface ReceivedConnection {
  readonly bytes: number;
  readonly sha256: string;
}

export class ByteServer {
  /** Connections that have ended, in the order in which they were opened. */
  readonly #received: (ReceivedConnection | undefined)[] = [];
  readonly #open = new Set<Socket>();
  readonly #server: Server;

  /** `greets`: it speaks first, for clients of protocols where the server does. */
  static async start(greets = false): Promise<ByteServer> {
    const server = new ByteServer(greets);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  private constructor(greets: boolean) {
    this.#server = createServer({ noDelay: true }, (socket) => this.#take(socket, greets));
  }

  get endpoint(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What has come since the last call, once every connection has ended; those that carried nothing are left out. */
  async takeReceived(): Promise<ReceivedConnection[]> {
    while (this.#open.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const all = this.#received.splice(0);
    return all.filter((c): c is ReceivedConnection => c !== undefined && c.bytes > 0);
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(socket: Socket, greets: boolean): void {
    const index = this.#received.push(undefined) - 1;
    const hash = createHash('sha256');
    let bytes = 0;
    this.#open.add(socket);
    if (greets) socket.write('hello');
    socket.on('data', (chunk) => {
      hash.update(chunk);
      bytes += chunk.length;
      socket.write('ok');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#received[index] = { bytes, sha256: hash.digest('hex') };
      this.#open.delete(socket);
    });
  }
}
