import { TcpcopyError } from '../core/errors.ts';

const GRANT =
  'run as root, or give node the right: setcap cap_net_raw,cap_net_admin+ep "$(readlink -f "$(command -v node)")"';

/** For anything that goes wrong while a raw socket is opened. */
export function openError(cause: unknown): TcpcopyError {
  if (cause instanceof TcpcopyError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EPERM' || code === 'EACCES' || /not permitted|permission denied/i.test(message)) {
    return new TcpcopyError('E_PERMISSION', 'not permitted to send raw packets (needs CAP_NET_RAW)', {
      hint: GRANT,
      cause,
    });
  }
  return new TcpcopyError('E_BACKEND', message, { where: 'raw socket', cause });
}
