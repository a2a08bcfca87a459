/** What backends throw, as errors a person can act on. */
import { TcpcopyError } from '../core/errors.ts';

const GRANT =
  'run as root, or give node the right: setcap cap_net_raw,cap_net_admin+ep "$(readlink -f "$(command -v node)")"';

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function permissionError(where: string, cause: unknown): TcpcopyError {
  return new TcpcopyError('E_PERMISSION', 'not permitted (needs CAP_NET_RAW)', { where, hint: GRANT, cause });
}

export function unknownDevice(device: string, known: readonly string[]): TcpcopyError {
  return new TcpcopyError('E_DEVICE', 'no such network device', {
    where: device,
    hint:
      known.length === 0 ? 'there are no devices here' : `devices here: ${[...new Set([...known, 'any'])].join(', ')}`,
  });
}

/** The device went away, or down, while it was in use. */
export function deviceLost(device: string, errno: string): TcpcopyError {
  const what = errno === 'ENETDOWN' ? 'the device is down' : `the device failed (${errno})`;
  return new TcpcopyError('E_DEVICE', what, { where: device, hint: `bring it up: ip link set ${device} up` });
}

/** For anything that goes wrong while a device is opened for capture. */
export function openError(device: string, cause: unknown): TcpcopyError {
  if (cause instanceof TcpcopyError) return cause;
  switch (errnoOf(cause)) {
    case 'EPERM':
    case 'EACCES':
      return permissionError(device, cause);
    case 'ENETDOWN':
      return deviceLost(device, 'ENETDOWN');
    case 'ENODEV':
    case 'ENXIO':
      return new TcpcopyError('E_DEVICE', 'no such network device', { where: device, cause });
    case 'ENOMEM':
    case 'ENOBUFS':
      return new TcpcopyError('E_OPTION', 'the kernel has no memory for a capture buffer of this size', {
        where: '-B',
        hint: 'ask for less',
        cause,
      });
    default:
      return new TcpcopyError('E_BACKEND', messageOf(cause), { where: device, cause });
  }
}
