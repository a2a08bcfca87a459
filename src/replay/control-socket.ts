/** The socket under a control connection, plain or TLS, and what its errors mean to a person. */
import { connect, isIP, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { ControlTrust } from '../config/copy-options.ts';
import { TcpcopyError } from '../core/errors.ts';
import { loadNative } from '../native/load.ts';

export interface ControlSocketOptions {
  readonly host: string;
  readonly port: number;
  /** `undefined`: plain. */
  readonly tls: ControlTrust | undefined;
  /** Where what arrives is put; its callback returns false to stop the reading. */
  readonly onread: OnReadOpts;
}

/** `ready` is called when the connection can be written to: with TLS, when the other end is known to be the right one. */
export function openControlSocket({ host, port, tls, onread }: ControlSocketOptions, ready: () => void): Socket {
  if (tls === undefined) return connect({ host, port, noDelay: true, onread }).once('connect', ready);
  // `onread` is documented for tls.connect too, but missing in its type.
  const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
    host,
    port,
    onread,
    minVersion: 'TLSv1.2',
    // Otherwise a variable of the environment could switch the check off.
    rejectUnauthorized: true,
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    // RFC 6066 §3: no addresses, and no dot at the end.
    ...(isIP(host) === 0 ? { servername: host.replace(/\.$/, '') } : {}),
  };
  const socket = connectTls(options);
  return socket.once('secureConnect', () => {
    socket.setNoDelay(true);
    ready();
  });
}

/** What node has under a socket, which is no part of its types: the descriptor has no other name. */
interface Handle {
  readonly fd?: number;
}

/** Reads a plain socket without the event loop, which goes on watching it for the rest, its end and its errors. */
export class DirectReader {
  readonly #addon = loadNative().addon;
  readonly #socket: { readonly _handle?: Handle | null };
  /** Asking a handle for its descriptor costs more than reading. */
  #handle: Handle | null | undefined;
  #fd = -1;

  constructor(socket: Socket) {
    this.#socket = socket as { readonly _handle?: Handle | null };
  }

  /** To be called when the event loop, where sockets are closed, had its turn. */
  findAnew(): void {
    // A socket that is going away has none.
    const { _handle: handle } = this.#socket;
    if (handle === this.#handle) return;
    this.#handle = handle;
    this.#fd = handle?.fd ?? -1;
  }

  /** Takes what has arrived, from `at` on; returns how many bytes there are. `undefined`: that cannot be done here. */
  read(into: Uint8Array, at: number): number | undefined {
    return this.#addon === undefined || this.#fd < 0 ? undefined : this.#addon.receive(this.#fd, into, at);
  }
}

/** Of a connection that does not come about; with the code, for those who know it. */
const CONNECT_FAILURES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it broke off the connection',
  EHOSTUNREACH: 'no host answers at that address',
  ENETUNREACH: 'there is no route to that address',
  ETIMEDOUT: 'nothing answers there',
  ENOTFOUND: 'that host name is not known',
};

/** What a socket's error says of the other end. */
export function connectFailure({ code, message }: NodeJS.ErrnoException): string {
  const meaning = code === undefined ? undefined : CONNECT_FAILURES[code];
  return meaning === undefined ? message : `${meaning} (${code})`;
}

const UNKNOWN_CA: ReadonlySet<string> = new Set([
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const LONGEST_NAMES = 80;

/** What went wrong with TLS; `undefined` when it was something else. `host` is the one in `-s`. */
export function tlsFailure(error: NodeJS.ErrnoException, host: string): TcpcopyError | undefined {
  const { code = '' } = error;
  if (UNKNOWN_CA.has(code)) {
    return failed('its certificate is from an unknown CA', "give the CA's certificate with --tls-ca", error);
  }
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return failed('its certificate has expired', 'give the intercept a new one', error);
    case 'CERT_NOT_YET_VALID':
      return failed('its certificate is not valid yet', 'check the clocks of both hosts', error);
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return failed(
        `its certificate is for ${certifiedNames(error)}, not for ${host}`,
        'give -s a name or address that the certificate holds as subjectAltName',
        error,
      );
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return failed(
        'it does not speak TLS',
        'start intercept with --tls-cert and --tls-key, or leave --tls out',
        error,
      );
    default:
      if (!/^(ERR_SSL_|ERR_TLS_|CERT_|CRL_)/.test(code)) return undefined;
      return failed(`TLS failed: ${code}`, 'check the certificate of the intercept', error);
  }
}

function failed(message: string, hint: string, cause: Error): TcpcopyError {
  return new TcpcopyError('E_CONTROL_TLS', message, { hint, cause });
}

/** As Node's error has them: `DNS:intercept.example, IP Address:192.0.2.20`. */
function certifiedNames(error: Error & { cert?: { subjectaltname?: string } }): string {
  const names = error.cert?.subjectaltname;
  if (names === undefined) return 'no name';
  return names.length > LONGEST_NAMES ? `${names.slice(0, LONGEST_NAMES)}…` : names;
}
