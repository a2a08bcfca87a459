/** The listening socket of the control channel: binds, and makes a `Peer` of each connection. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TcpcopyError } from '../core/errors.ts';

export class ControlServer {
  readonly #server: Server;

  constructor(accept: (socket: Socket) => void) {
    this.#server = createServer({ noDelay: true }, accept);
  }

  /** Throws E_LISTEN. */
  async listen(host: string, port: number): Promise<void> {
    try {
      await this.#bind(host, port);
    } catch (error) {
      // `::` serves both families, but a host may have no IPv6 at all.
      if (host !== '::' || !['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(errno(error)))
        throw listenError(host, port, error);
      await this.#bind('0.0.0.0', port).catch((second: unknown) => {
        throw listenError('0.0.0.0', port, second);
      });
    }
  }

  /** The bound port. */
  get port(): number {
    const address = this.#server.address() as AddressInfo | null;
    return address?.port ?? 0;
  }

  close(): void {
    this.#server.close();
  }

  #bind(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }
}

function errno(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function listenError(host: string, port: number, cause: unknown): TcpcopyError {
  const code = errno(cause);
  const where = `-b ${host} -p ${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return new TcpcopyError('E_LISTEN', 'the port is in use', {
        where,
        hint: 'stop the other process, or give another port with -p',
        cause,
      });
    case 'EADDRNOTAVAIL':
      return new TcpcopyError('E_LISTEN', 'this host does not have the address', {
        where,
        hint: 'give one of its addresses with -b',
        cause,
      });
    case 'EACCES':
      return new TcpcopyError('E_LISTEN', 'this user may not bind the port', {
        where,
        hint: 'run as root, or give a port above 1023 with -p',
        cause,
      });
    default:
      return new TcpcopyError('E_LISTEN', `cannot listen: ${code}`, { where, cause });
  }
}
