/** Every default and range of the two programs in one place: the schema, `--help` and `docs/cli.md` quote it. */
import { seconds, millis } from '../core/time.ts';

const MB = 1024 * 1024;

export const CONTROL_PORT = 36_524;
export const CONTROL_CONNECTIONS = { default: 2, min: 1, max: 16 };
export const COPIES = { default: 1, min: 1, max: 1023 };
/** One worker saturates about one core. */
export const WORKERS = { default: 1, min: 1, max: 64 };
/** Its default is the backend's: a ring holds more in less. */
export const CAPTURE_BUFFER = { min: MB, max: 2048 * MB };
/**
 * One IP packet of the greatest size behind any link header: a snap length of 65,535 would cut the last bytes off a full
 * GRO packet.
 */
export const SNAP_LENGTH = { default: 65_600, min: 96, max: 262_144 };
export const ACCELERATION = { default: 1, min: 0.001, max: 10_000 };
export const MAX_GAP = { min: millis(0), max: seconds(86_400) };
export const REPEAT = { default: 1, min: 1, max: 1_000_000 };
export const MEMORY = { default: 512 * MB, min: 16 * MB, max: 1024 * 1024 * MB };
export const SESSIONS = { default: 65_536, min: 1, max: 4_194_304 };
/** Percent; of one processor, so that more than 100 is possible. */
export const NICE = { min: 0, max: 19 };
export const MAX_CPU = { min: 1, max: 6400 };
export const MAX_HOST_CPU = { min: 1, max: 100 };
export const MTU = { default: 1500, min: 576, max: 65_535 };
/** RFC 8200 §5 */
export const MTU_MIN_V6 = 1280;
/** IP and TCP headers without options. */
export const HEADERS_V4 = 40;
export const HEADERS_V6 = 60;
export const MSS_MIN = 88;
export const SESSION_TIMEOUT = { default: seconds(600), min: seconds(1), max: seconds(7 * 86_400) };
/** Added to the session timeout when -k is not given, as TCPCopy does. */
export const KEEPALIVE_EXTRA = seconds(120);
export const SUMMARY_INTERVAL = { default: seconds(10), min: seconds(1), max: seconds(86_400) };
/** Of one file of a recording. */
export const FILE_SIZE = { min: 64 * 1024, max: 1024 * 1024 * MB };
export const FILE_AGE = { min: seconds(1), max: seconds(366 * 86_400) };
export const FILES = { min: 1, max: 1_000_000 };
export const SEED = { min: 0, max: 0xffff_ffff };

export const IO_BACKENDS = ['auto', 'ring', 'pcap'] as const;
export const TARGETS = ['raw', 'socket'] as const;
export const SHEDS = ['all', 'host', 'never'] as const;
export const PACES = ['response', 'capture', 'asap'] as const;
export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export const LOG_FORMATS = ['auto', 'text', 'json'] as const;
