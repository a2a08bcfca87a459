/** The other end of a connection, as people write it. */
import { isIPv6, type Socket } from 'node:net';

/** What a listener of both families has before an IPv4 address (RFC 4291 §2.5.5.2). */
const MAPPED = '::ffff:';

type RemoteEnd = Pick<Socket, 'remoteAddress' | 'remotePort'>;

/** `192.0.2.1`, `2001:db8::1`; `?` once the connection is gone. */
export function remoteAddressOf({ remoteAddress = '?' }: RemoteEnd): string {
  const rest = remoteAddress.startsWith(MAPPED) ? remoteAddress.slice(MAPPED.length) : '';
  return rest.includes('.') ? rest : remoteAddress;
}

/** `192.0.2.1:50000`, `[2001:db8::1]:50000` */
export function remoteNameOf(socket: RemoteEnd): string {
  const address = remoteAddressOf(socket);
  return `${isIPv6(address) ? `[${address}]` : address}:${socket.remotePort ?? 0}`;
}
