/**
 * Errors a person has to act on. Each has a stable code, declared once here and explained in `docs/errors.md` (a test
 * fails when one is missing there). Odd packets are not errors: they are drop reasons, counted.
 */
export const ERROR_CODES = {
  E_USAGE: 'the command line cannot be understood',
  E_OPTION: 'an option has a value that cannot be used',
  E_MAPPING: 'a -x entry is malformed or conflicts with another',
  E_CLIENT_ADDRESS: 'a -c entry is malformed or cannot be used for the target',
  E_DEVICE: 'a network device does not exist or is down',
  E_PERMISSION: 'the process may not capture or send packets',
  E_FILTER: 'a capture filter does not compile',
  E_FILE: 'a file cannot be read or written',
  E_ALREADY_RUNNING: 'another instance holds the pid file',
  E_CAPTURE_FORMAT: 'a recording is not pcap or pcapng, or is damaged',
  E_BACKEND: 'the packet I/O backend that was asked for is not available',
  E_LISTEN: 'a port cannot be listened on: control channel or --metrics',
  E_INTERCEPT_UNREACHABLE: 'no intercept answers at an -s address',
  E_CONTROL_VERSION: 'tcpcopy and intercept speak different control-channel versions',
  E_CONTROL_AUTH: 'the control channel refused the shared key',
  E_CONTROL_TLS: 'the TLS of the control channel failed, or only one side speaks it',
  E_CONTROL_PROTOCOL: 'the control channel received something that is not its protocol',
  E_LEASE: 'the intercept has no source ports left to grant',
  E_LEDGER: 'the ledger does not balance',
  E_CONFIG: 'the configuration file cannot be read or understood',
  E_PLUGIN: 'a plugin cannot be found, loaded or started',
  E_PLUGIN_OPTION: 'an option of a plugin has a value that cannot be used',
  E_PLUGIN_HOOK: 'a plugin taps a hook in a way that cannot work',
  E_WORKER: 'one of several copying processes died',
  E_PLUGIN_FAILED: 'a plugin failed while running, and --on-plugin-error says to end then',
  E_FIDELITY: 'fewer requests were replayed than --min-fidelity asks for',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetail {
  /** The option, file, device or address at fault: `-x`, `eth7`, `plugins[2]`. */
  readonly where?: string;
  /** What the reader can do about it, as one clause. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class TcpcopyError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'TcpcopyError';
    this.code = code;
    this.where = detail.where;
    this.hint = detail.hint;
  }

  /** One line: where (`''`: without), what, what to do, code. */
  oneLine(place = this.where ?? ''): string {
    const where = place === '' ? '' : `${place}: `;
    const hint = this.hint === undefined ? '' : `; ${this.hint}`;
    // What it quotes may be anything that was typed, or that a file is called.
    return `${where}${this.message}${hint} [${this.code}]`.replace(
      /[\u0000-\u001f\u007f][\s\u0000-\u001f\u007f]*/g,
      ' ',
    );
  }
}
