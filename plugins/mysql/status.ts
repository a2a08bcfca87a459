/**
 * Bits of the status with which a server ends a response.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html (SERVER_STATUS_flags_enum)
 */
export const STATUS = {
  IN_TRANSACTION: 1,
  AUTOCOMMIT: 1 << 1,
  MORE_RESULTS: 1 << 3,
  CURSOR_EXISTS: 1 << 6,
  LAST_ROW_SENT: 1 << 7,
  SESSION_STATE_CHANGED: 1 << 14,
} as const;
