/**
 * Capability flags of both sides, and which of them a session to the target has.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html
 * https://mariadb.com/kb/en/connection/#capabilities
 */
export const CLIENT = {
  /** A MySQL client or server; unset, the last four bytes of the filler are MariaDB's extended flags. */
  LONG_PASSWORD: 1,
  FOUND_ROWS: 1 << 1,
  LONG_FLAG: 1 << 2,
  CONNECT_WITH_DB: 1 << 3,
  COMPRESS: 1 << 5,
  LOCAL_FILES: 1 << 7,
  PROTOCOL_41: 1 << 9,
  SSL: 1 << 11,
  TRANSACTIONS: 1 << 13,
  SECURE_CONNECTION: 1 << 15,
  MULTI_STATEMENTS: 1 << 16,
  MULTI_RESULTS: 1 << 17,
  PS_MULTI_RESULTS: 1 << 18,
  PLUGIN_AUTH: 1 << 19,
  CONNECT_ATTRS: 1 << 20,
  PLUGIN_AUTH_LENENC_CLIENT_DATA: 1 << 21,
  SESSION_TRACK: 1 << 23,
  DEPRECATE_EOF: 1 << 24,
  OPTIONAL_RESULTSET_METADATA: 1 << 25,
  ZSTD_COMPRESSION: 1 << 26,
  QUERY_ATTRIBUTES: 1 << 27,
  MULTI_FACTOR_AUTHENTICATION: 1 << 28,
  CAPABILITY_EXTENSION: 1 << 29,
  SSL_VERIFY_SERVER_CERT: 1 << 30,
} as const;

/** MariaDB's flags 32 to 63, as the word of their own that they are sent in. */
export const MARIADB = {
  PROGRESS: 1,
  COM_MULTI: 1 << 1,
  STMT_BULK_OPERATIONS: 1 << 2,
  EXTENDED_METADATA: 1 << 3,
  CACHE_METADATA: 1 << 4,
  BULK_UNIT_RESULTS: 1 << 5,
} as const;

export interface Capabilities {
  /** Flags 0 to 31 (`CLIENT`), unsigned. */
  readonly flags: number;
  /** Flags 32 to 63 (`MARIADB`), unsigned; 0 with MySQL. */
  readonly extended: number;
}

/** What copying never does: these are for links and logins of the client's own. */
const NEVER =
  CLIENT.COMPRESS |
  CLIENT.SSL |
  CLIENT.ZSTD_COMPRESSION |
  CLIENT.MULTI_FACTOR_AUTHENTICATION |
  CLIENT.CAPABILITY_EXTENSION |
  CLIENT.SSL_VERIFY_SERVER_CERT |
  CLIENT.CONNECT_WITH_DB;
/** Progress reports come between the packets of a response, and only people look at them. */
const NEVER_EXTENDED = MARIADB.PROGRESS | MARIADB.COM_MULTI;
/** What a login needs, where the target has it. */
const LOGIN =
  CLIENT.PROTOCOL_41 | CLIENT.SECURE_CONNECTION | CLIENT.PLUGIN_AUTH | CLIENT.PLUGIN_AUTH_LENENC_CLIENT_DATA;

/** What a client is taken to have that logged in before copying began: what about every client has that is in use. */
export const USUAL_CLIENT: Capabilities = {
  flags:
    CLIENT.LONG_PASSWORD |
    CLIENT.LONG_FLAG |
    CLIENT.TRANSACTIONS |
    CLIENT.MULTI_STATEMENTS |
    CLIENT.MULTI_RESULTS |
    CLIENT.PS_MULTI_RESULTS,
  extended: 0,
};

/**
 * Of what the client had online, what the target has too and what can be replayed; and what a login needs. A database is
 * named in the login only when `database` says so.
 */
export function chooseCapabilities(client: Capabilities, target: Capabilities, database: boolean): Capabilities {
  const kept = (client.flags & target.flags & ~NEVER) | (client.flags & CLIENT.LONG_PASSWORD);
  const flags = kept | (LOGIN & target.flags) | (database ? CLIENT.CONNECT_WITH_DB : 0);
  const mariadb = (flags & CLIENT.LONG_PASSWORD) === 0;
  return { flags: flags >>> 0, extended: mariadb ? (client.extended & target.extended & ~NEVER_EXTENDED) >>> 0 : 0 };
}

export type Compression = 'none' | 'zlib' | 'zstd';

/**
 * How a session is compressed after its login. A client says so only when the server had offered it
 * (`libmysqlclient`, MariaDB Connector/C), so the client's flags tell.
 */
export function compressionOf({ flags }: Capabilities): Compression {
  if ((flags & CLIENT.COMPRESS) !== 0) return 'zlib';
  return (flags & CLIENT.ZSTD_COMPRESSION) !== 0 ? 'zstd' : 'none';
}
