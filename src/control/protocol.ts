/**
 * The numbers of the control channel between tcpcopy and intercept. docs/control-channel.md describes them byte by
 * byte; both must change together, and with them `PROTOCOL_MAX`.
 */

/** "TCPY": the first four bytes of every HELLO. */
export const MAGIC = 0x54435059;
/** The protocol versions that this build speaks. */
export const PROTOCOL_MIN = 1;
export const PROTOCOL_MAX = 2;

/** A message is a length (of what follows it), a type, and a body. */
export const LENGTH_BYTES = 4;
export const HEADER_BYTES = 5;
/** The largest message, header included. */
export const MAX_MESSAGE = 1 << 20;
/** The same for messages before WELCOME: a stranger must not make us hold more. */
export const MAX_HANDSHAKE_MESSAGE = 1024;

export const INSTANCE_ID_BYTES = 8;
export const NONCE_BYTES = 32;
/** HMAC-SHA256. */
export const PROOF_BYTES = 32;
/** Connections of one tcpcopy to one intercept (`-C`). */
export const MAX_CONNECTIONS = 16;
/** Lists in TARGETS. */
export const MAX_TARGETS = 4096;
export const MAX_CLIENT_RANGES = 32_768;

export const HELLO = 1;
export const CHALLENGE = 2;
export const PROOF = 3;
export const WELCOME = 4;
export const REFUSED = 5;
export const TARGETS = 6;
export const LEASE_REQUEST = 7;
export const LEASE_GRANT = 8;
// 9 was LEASE_RELEASE, which nobody sent: it stays unused.
export const RECLAIM = 10;
export const RESPONSES = 11;
export const WANT_PAYLOAD = 12;
export const PING = 13;
export const PONG = 14;
export const STATS = 15;
export const BYE = 16;
/** Since version 2. */
export const PROBE = 17;
export const PROBE_REPORT = 18;
export const HURRY = 19;

/** Message names by type, for error texts; types without one are unknown. */
export const MESSAGE_NAMES = [
  undefined,
  'HELLO',
  'CHALLENGE',
  'PROOF',
  'WELCOME',
  'REFUSED',
  'TARGETS',
  'LEASE_REQUEST',
  'LEASE_GRANT',
  undefined,
  'RECLAIM',
  'RESPONSES',
  'WANT_PAYLOAD',
  'PING',
  'PONG',
  'STATS',
  'BYE',
  'PROBE',
  'PROBE_REPORT',
  'HURRY',
] as const;

/** First byte of a TLS handshake (RFC 8446 §5.1); a control message of at most 1 MiB begins with 0. */
export const TLS_HANDSHAKE_RECORD = 22;

/** Why an intercept refuses a connection. */
export const REFUSED_VERSION = 1;
export const REFUSED_AUTH = 2;
export const REFUSED_PROTOCOL = 3;
/** Too many connections or instances. */
export const REFUSED_BUSY = 4;
/** Sent in plain text, to who does not begin with a TLS handshake. */
export const REFUSED_TLS = 5;

/** HELLO flag: this tcpcopy has a pre-shared key. */
export const HELLO_HAS_KEY = 1;

/** Capability bits of HELLO and WELCOME; bits that one side does not know are ignored. */
export const CAPABILITY_PAYLOAD = 1;
export const CAPABILITY_STATS = 2;
/** Answers PROBE. */
export const CAPABILITY_PROBE = 4;
/** Understands HURRY. */
export const CAPABILITY_HURRY = 8;
export const CAPABILITIES = CAPABILITY_PAYLOAD | CAPABILITY_STATS | CAPABILITY_PROBE | CAPABILITY_HURRY;

/** WANT_PAYLOAD value: every byte of every segment. */
export const PAYLOAD_ALL = 0xffff_ffff;

/** Source ports per lease block: block b is ports b * 1024 to b * 1024 + 1023. */
export const BLOCK_PORTS = 1024;
export const BLOCK_SHIFT = 10;
export const BLOCKS = 64;
