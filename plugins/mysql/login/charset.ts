/** Collations that one of MySQL and MariaDB does not know. */

/** Known to both: utf8mb4_general_ci. */
export const UTF8MB4_GENERAL_CI = 45;
/** MySQL 8's own collations of utf8mb4; 255, utf8mb4_0900_ai_ci, is what its clients ask for. */
const FIRST_OF_MYSQL_8 = 255;
const LAST_OF_MYSQL_8 = 323;
/** MariaDB's own have numbers from here on. */
const FIRST_OF_MARIADB = 576;

/**
 * The id of the collation to ask the target for. A server takes its default for an id that it does not know, which may be
 * latin1, and then reads other text than what the client sent.
 */
export function targetCharset(online: number, mariadb: boolean): number {
  const foreign = mariadb ? online >= FIRST_OF_MYSQL_8 && online <= LAST_OF_MYSQL_8 : online >= FIRST_OF_MARIADB;
  return foreign ? UTF8MB4_GENERAL_CI : online;
}
