/** Passwords in statements, so that nothing prints them. */

const LITERAL = String.raw`(?:'(?:[^'\\]|\\[^]|'')*'?|"(?:[^"\\]|\\[^]|"")*"?|0x[0-9a-f]+)`;
const SECRETS = [
  // CREATE USER … IDENTIFIED [WITH method] BY [PASSWORD] '…', AS '…', USING '…' (or what those call)
  String.raw`\bIDENTIFIED\b[^;]*?\b(?:BY|AS|USING)\b\s*(?:PASSWORD\b\s*)?(?:\w+\s*\(\s*)?`,
  // SET PASSWORD [FOR …] = '…', PASSWORD('…'), CHANGE MASTER TO MASTER_PASSWORD = '…', SERVER … OPTIONS (PASSWORD '…')
  String.raw`\b\w*PASSWORD\b\s*(?:FOR\b[^=;]*)?(?:\(|:?=)?\s*(?:\w+\s*\(\s*)?`,
  String.raw`\b(?:AES_ENCRYPT|AES_DECRYPT|DES_ENCRYPT|DES_DECRYPT|ENCODE|DECODE)\s*\([^;]*?,\s*`,
];
const SECRET = new RegExp(`(${SECRETS.join('|')})${LITERAL}`, 'gi');

/** A statement with `'***'` in place of the passwords in it. */
export function withoutSecrets(sql: string): string {
  return /ident|passw|crypt|code/i.test(sql) ? sql.replace(SECRET, "$1'***'") : sql;
}
