/**
 * What answers a server's challenge, by method. Passwords are bytes; they are empty nowhere here: an empty password answers
 * with nothing, whatever the method.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_native_password_authentication.html
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
 */
import { constants, createHash, createPublicKey, publicEncrypt } from 'node:crypto';

/** mysql_native_password: SHA1(password) ⊕ SHA1(challenge · SHA1(SHA1(password))). */
export function nativeToken(password: Uint8Array, scramble: Uint8Array): Uint8Array {
  const once = hash('sha1', password);
  return xor(once, hash('sha1', scramble, hash('sha1', once)));
}

/** caching_sha2_password: SHA256(password) ⊕ SHA256(SHA256(SHA256(password)) · challenge). */
export function cachingSha2Token(password: Uint8Array, scramble: Uint8Array): Uint8Array {
  const once = hash('sha256', password);
  return xor(once, hash('sha256', hash('sha256', once), scramble));
}

/**
 * The password itself for the server's key: (password · NUL) ⊕ challenge, encrypted by RSA with OAEP (SHA-1, RFC 8017 §7.1).
 * `pem`: the public key as the server sends it. Throws when it is none, or too short for the password.
 */
export function encryptPassword(password: Uint8Array, scramble: Uint8Array, pem: Uint8Array): Uint8Array {
  const key = createPublicKey(Buffer.from(pem));
  const hidden = xor(Uint8Array.from([...password, 0]), scramble);
  return publicEncrypt({ key, oaepHash: 'sha1', padding: constants.RSA_PKCS1_OAEP_PADDING }, hidden);
}

function hash(algorithm: 'sha1' | 'sha256', ...parts: readonly Uint8Array[]): Uint8Array {
  const digest = createHash(algorithm);
  for (const part of parts) digest.update(part);
  return digest.digest();
}

/** `mask` is repeated. */
function xor(bytes: Uint8Array, mask: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => byte ^ mask[i % mask.length]!);
}
